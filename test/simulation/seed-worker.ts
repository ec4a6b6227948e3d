import { parentPort } from 'node:worker_threads';
import { reportFailure } from './report-failure.ts';
import { simulate } from './simulate.ts';
import { addOutcome, noTotals, type Totals } from './totals.ts';

/** Seeds for one worker: `first` and those after it. */
export interface SeedSpan {
  readonly first: number;
  readonly seeds: number;
}

/** What a worker answers for one span. */
export interface SpanAnswer {
  readonly totals: Totals;
  readonly reports: readonly string[];
}

// The thousands of errors that faults throw are read by code alone.
Error.stackTraceLimit = 0;

parentPort?.on('message', async ({ first, seeds }: SeedSpan) => {
  const totals = noTotals();
  const reports: string[] = [];
  for (let seed = first; seed < first + seeds; seed += 1) {
    const outcome = await simulate({ seed });
    addOutcome(totals, outcome);
    if (outcome.broken !== undefined) reports.push(await reportFailure(outcome));
  }
  parentPort?.postMessage({ totals, reports } satisfies SpanAnswer);
});
