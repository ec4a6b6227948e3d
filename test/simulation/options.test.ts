import { expect, it } from 'vitest';
import { simulateOptions, UsageError } from './options.ts';

const read = (line: string) => simulateOptions(line.split(' ').filter(Boolean), { workers: 2, random: () => 0.5 });

it('reads the command line in both spellings', () => {
  expect(read('')).toEqual({ seeds: 1_000, first: 1, workers: 2 });
  expect(read('--seeds 10 --first 0 --workers=3')).toEqual({ seeds: 10, first: 0, workers: 3 });
  expect(read('--first random')).toMatchObject({ first: 1_000_000_000 });
  expect(read('--seeds 5 --help')).toBe('help');
});

it.each([
  ['--seeds', /--seeds needs a value/],
  ['--seeds 0', /--seeds 0: expected a whole number from 1 to/],
  ['--seeds 1e3', /whole number/],
  ['--seeds -5', /whole number/],
  ['--seeds random', /whole number/],
  ['--first 3000000000', /from 0 to 2000000000/],
  ['--workers 0', /from 1 to 256/],
  ['--seed 1', /unknown argument: --seed/],
  ['17', /unknown argument: 17/],
])('says what is wrong with %s', (line, message) => {
  expect(() => read(line)).toThrow(UsageError);
  expect(() => read(line)).toThrow(message);
});
