import { shrink } from './shrink.ts';
import { type Outcome, simulate } from './simulate.ts';

/** The end of a trace that is printed: what led to the broken promise is there. */
const TRACE_LINES = 80;

/** Returns a failing seed in words: the promise, the fewest faults that break it, and the end of the trace. */
export async function reportFailure(failing: Outcome): Promise<string> {
  const { seed } = failing;
  const { only, tries } = await shrink(failing, (ids) => simulate({ seed, only: ids }));
  const { broken, faults, trace } = await simulate({ seed, only, isTraced: true });
  return [
    `seed ${seed} breaks ${failing.broken?.message}`,
    `with ${faults.length} of its ${failing.faults.length} faults (${tries} tries) it breaks ${broken?.message}:`,
    ...faults.map(({ id, kind, ms }) => `  ${id} ${kind}${/late|slow|stopped/.test(kind) ? `, ${(ms / 1000).toFixed(1)} s` : ''}`),
    `the last ${Math.min(TRACE_LINES, trace.length)} of ${trace.length} lines of its trace:`,
    ...trace.slice(-TRACE_LINES).map((line) => `  ${line}`),
    `again: npm run simulate -- --first ${seed} --seeds 1`,
  ].join('\n');
}
