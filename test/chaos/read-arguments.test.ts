import { describe, expect, it } from 'vitest';
import { ArgumentError, readArguments } from './read-arguments.ts';

describe('the arguments of npm run chaos', () => {
  it('have defaults', () => {
    expect(readArguments([])).toEqual({
      builds: 100,
      seed: 1,
      topology: 'standalone',
      directory: undefined,
      keep: false,
      help: false,
    });
  });

  it('are taken', () => {
    const args = ['--builds', '300', '--seed=0', '--topology', 'services', '--dir', 'somewhere', '--keep'];
    expect(readArguments(args)).toMatchObject({ builds: 300, seed: 0, topology: 'services', directory: 'somewhere', keep: true });
  });

  it.each([
    [['--builds', '0'], '--builds 0: expected a whole number from 1 to 100000'],
    [['--builds', '1e3'], '--builds 1e3: expected a whole number from 1 to 100000'],
    [['--seed=-1'], '--seed -1: expected a whole number from 0 to 4294967295'],
    [['--seed', '4294967296'], '--seed 4294967296: expected a whole number from 0 to 4294967295'],
    [['--topology', 'aws'], '--topology aws: expected standalone or services'],
    [['--dir='], '--dir: expected the path of a directory'],
    [['--bulids', '3'], '--bulids'],
    [['300'], 'The options are --builds, --seed, --topology, --dir, --keep, --help'],
  ])('%j are refused, and the message names the option and what it allows', (args, message) => {
    expect(() => readArguments(args)).toThrow(ArgumentError);
    expect(() => readArguments(args)).toThrow(message);
  });
});
