import { parseArgs } from 'node:util';

export const TOPOLOGIES = ['standalone', 'services'] as const;
export type TopologyName = (typeof TOPOLOGIES)[number];

export interface ChaosArguments {
  readonly builds: number;
  readonly seed: number;
  readonly topology: TopologyName;
  /** The directory of the run; absent: a temporary one. */
  readonly directory: string | undefined;
  readonly keep: boolean;
  readonly help: boolean;
}

/** An argument cannot be used. The message names it and what is allowed. */
export class ArgumentError extends Error {
  override readonly name = 'ArgumentError';
}

export const USAGE = `Usage: npm run chaos -- [--builds N] [--seed N] [--topology NAME] [--dir DIRECTORY] [--keep]

Runs a real server over a small upstream, lets clients ask it for builds, and meanwhile kills it, stops it, breaks its
upstream, sets its clock and disconnects clients. Then it checks what clients saw, every file of every result, and what
is left on the disk. The seed decides what is asked and what goes wrong, in which order and after which pauses. The
machine decides how far the server has come by then, so a second run with the same seed meets other moments.

  --builds N         builds that clients begin before the faults end, 1 to 100000 (default 100)
  --seed N           whole number from 0 to 4294967295 (default 1)
  --topology NAME    standalone (default): one server process; services: every service as its own process over LocalStack
  --dir DIRECTORY    directory for everything that the run stores; it must be empty or not exist (default: a temporary one)
  --keep             keep the directory at the end

The last line has the numbers of builds, kills, faults, files and broken promises. The exit code is 0 if no promise was
broken, 1 if one was, 2 if an argument cannot be used, and 130 after Ctrl-C.
`;

const OPTIONS = {
  builds: { type: 'string', default: '100' },
  seed: { type: 'string', default: '1' },
  topology: { type: 'string', default: 'standalone' },
  dir: { type: 'string' },
  keep: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

/** Returns what the command line asks for. Throws an `ArgumentError` that names the option and what it allows. */
export function readArguments(args: readonly string[]): ChaosArguments {
  const { values } = parsed(args);
  const topology = TOPOLOGIES.find((name) => name === values.topology);
  if (topology === undefined) throw new ArgumentError(`--topology ${values.topology}: expected ${TOPOLOGIES.join(' or ')}`);
  if (values.dir === '') throw new ArgumentError('--dir: expected the path of a directory');
  return {
    builds: wholeNumber('builds', values.builds, 1, 100_000),
    seed: wholeNumber('seed', values.seed, 0, 2 ** 32 - 1),
    topology,
    directory: values.dir,
    keep: values.keep,
    help: values.help,
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS });
  } catch (error) {
    throw new ArgumentError(
      `${error instanceof Error ? error.message : error}. The options are ${Object.keys(OPTIONS)
        .map((name) => `--${name}`)
        .join(', ')}`,
    );
  }
}

function wholeNumber(option: string, text: string, least: number, most: number): number {
  const number = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (!(number >= least && number <= most))
    throw new ArgumentError(`--${option} ${text}: expected a whole number from ${least} to ${most}`);
  return number;
}
