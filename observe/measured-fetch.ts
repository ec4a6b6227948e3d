import type { MetricEvents, UpstreamOutcome } from './metric-events.ts';

/** A `fetch` that reports the outcome of each call, and the time to the beginning of its answer. */
export function measuredFetch(onUpstream: MetricEvents['onUpstream'], fetch: typeof globalThis.fetch): typeof fetch {
  return async (input, init) => {
    const started = performance.now();
    const tell = (outcome: UpstreamOutcome) => onUpstream(outcome, (performance.now() - started) / 1000);
    try {
      const response = await fetch(input, init);
      tell(outcomeOf(response.status));
      return response;
    } catch (error) {
      tell('failed');
      throw error;
    }
  };
}

function outcomeOf(status: number): UpstreamOutcome {
  if (status === 200 || status === 206) return 'found';
  if (status === 304) return 'unchanged';
  return status === 404 || status === 410 ? 'missing' : 'refused';
}
