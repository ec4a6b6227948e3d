import { availableParallelism } from 'node:os';
import { simulateOptions, USAGE, UsageError } from './options.ts';
import { runSeeds } from './run-seeds.ts';
import { portsWithoutFaults, summaryOf } from './totals.ts';

// `npm run simulate`: the whole system in simulated time, one life for each seed. The exit code is 0 only when every
// seed that was asked for was simulated and kept every promise.
const print = (text: string) => process.stdout.write(`${text}\n`);

async function main(): Promise<number> {
  const options = simulateOptions(process.argv.slice(2), { workers: availableParallelism(), random: Math.random });
  if (options === 'help') {
    print(USAGE);
    return 0;
  }
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  print(`simulating ${options.seeds} seeds from ${options.first} on`);
  const begun = performance.now();
  const totals = await runSeeds({ ...options, signal: stop.signal, onReport: print });
  const seconds = (performance.now() - begun) / 1000;

  print('ports without faults:');
  for (const line of portsWithoutFaults(totals)) print(`  ${line}`);
  if (totals.failing.length > 0) print(`seeds that break a promise: ${totals.failing.join(', ')}`);
  if (totals.seeds < options.seeds) print(`stopped early: ${totals.seeds} of ${options.seeds} seeds`);
  print(`${(totals.seeds / seconds).toFixed(0)} seeds a second, with ${options.workers} workers`);
  print(summaryOf(totals));
  return totals.failing.length === 0 && totals.seeds === options.seeds ? 0 : 1;
}

process.exitCode = await main().catch((error: unknown) => {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n${USAGE}\n`);
  return 2;
});
