import { Worker } from 'node:worker_threads';
import type { SimulateOptions } from './options.ts';
import type { SeedSpan, SpanAnswer } from './seed-worker.ts';
import { addTotals, noTotals, type Totals } from './totals.ts';

export interface RunSeedsOptions extends SimulateOptions {
  /** When it aborts, no further seeds begin, and the sums so far are the answer. */
  readonly signal: AbortSignal;
  readonly onReport: (report: string) => void;
}

/** A worker answers after so many seeds, so that the work is shared evenly and an interruption is heeded soon. */
const SPAN = 25;
/** After so many failing seeds no further ones begin: they probably have the same cause. */
const MOST_FAILING = 10;

/** Simulates the seeds in several threads, and returns the sums. */
export async function runSeeds({ seeds, first, workers, signal, onReport }: RunSeedsOptions): Promise<Totals> {
  const totals = noTotals();
  let next = first;
  const end = first + seeds;
  const take = (): SeedSpan | undefined => {
    if (next >= end || signal.aborted || totals.failing.length >= MOST_FAILING) return undefined;
    const span = { first: next, seeds: Math.min(SPAN, end - next) };
    next += span.seeds;
    return span;
  };
  const stopped = new Promise<undefined>((resolve) => signal.addEventListener('abort', () => resolve(undefined)));
  const runWorker = async () => {
    const worker = new Worker(new URL('./seed-worker.ts', import.meta.url));
    const failed = new Promise<never>((_, reject) => worker.once('error', reject));
    failed.catch(() => undefined);
    try {
      for (let span = take(); span !== undefined; span = take()) {
        const answer = await Promise.race([ask(worker, span), failed, stopped]);
        if (answer === undefined) return;
        addTotals(totals, answer.totals);
        for (const report of answer.reports) onReport(report);
      }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: Math.min(workers, Math.ceil(seeds / SPAN)) }, runWorker));
  return totals;
}

const ask = (worker: Worker, span: SeedSpan): Promise<SpanAnswer> =>
  new Promise((resolve) => {
    worker.once('message', resolve);
    worker.postMessage(span);
  });
