/** What `npm run simulate` is asked for. */
export interface SimulateOptions {
  readonly seeds: number;
  readonly first: number;
  readonly workers: number;
}

/** The command line cannot be understood; the message says why, and what is allowed. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

const MOST_SEEDS = 100_000_000;
const MOST_WORKERS = 256;
/** Seeds are 31-bit numbers, so that `first + seeds` stays one. */
const MOST_FIRST = 2_000_000_000;

export const USAGE = `usage: npm run simulate -- [--seeds N] [--first N|random] [--workers N]
  --seeds N     how many seeds to simulate, 1 to ${MOST_SEEDS}; default 1000
  --first N     the first seed, 0 to ${MOST_FIRST}, or "random"; default 1
  --workers N   how many processors to use, 1 to ${MOST_WORKERS}; default all`;

/** Reads the command line: `--name value` or `--name=value`. Returns `help` when it asks for help. */
export function simulateOptions(args: readonly string[], defaults: { workers: number; random: () => number }): SimulateOptions | 'help' {
  const options = { seeds: 1_000, first: 1, workers: defaults.workers };
  const most = { seeds: MOST_SEEDS, first: MOST_FIRST, workers: MOST_WORKERS };
  const rest = args.flatMap((arg) => (arg.startsWith('--') && arg.includes('=') ? arg.split(/=(.*)/s).slice(0, 2) : [arg]));
  while (rest.length > 0) {
    const argument = rest.shift() as string;
    if (argument === '--help' || argument === '-h') return 'help';
    const name = argument.replace(/^--/, '');
    if (!argument.startsWith('--') || !isOption(name)) throw new UsageError(`unknown argument: ${argument}`);
    const value = rest.shift();
    if (value === undefined) throw new UsageError(`${argument} needs a value`);
    if (name === 'first' && value === 'random') options.first = Math.floor(defaults.random() * MOST_FIRST);
    else options[name] = wholeNumber(argument, value, name === 'first' ? 0 : 1, most[name]);
  }
  return options;
}

const isOption = (name: string): name is keyof SimulateOptions => name === 'seeds' || name === 'first' || name === 'workers';

function wholeNumber(name: string, value: string, least: number, most: number): number {
  const number = Number(value);
  if (!/^\d+$/.test(value) || number < least || number > most)
    throw new UsageError(`${name} ${value}: expected a whole number from ${least} to ${most}`);
  return number;
}
