import type { OrderForecast } from '#core/build/build-order.ts';
import { type ForecastOutcome, outcomeOfFailure, outcomeOfImage } from '#core/build/forecast-outcome.ts';
import type { RunEvent } from '#core/build/run-event.ts';
import type { Swept } from '#core/build/sweep.ts';
import type { Answered } from './answered.ts';

/** What is counted: by Prometheus in a process that lasts, by CloudWatch in a function that is only called. */
export interface MetricEvents {
  readonly onAnswered: (answered: Answered) => void;
  /** Called with `new`, `joined`, `hit` or `rejected` for every request that passed the schema. */
  readonly onRequest: (outcome: string) => void;
  readonly onRunEvent: (event: RunEvent) => void;
  /** Called for each request to upstream, with the time to the beginning of the answer. */
  readonly onUpstream: (outcome: UpstreamOutcome, seconds: number) => void;
  /** Called after each sweep. */
  readonly onSwept: (swept: Swept) => void;
  /** Called when something that a build left could not be removed. */
  readonly onLeftover: () => void;
}

/** What upstream answered: 200, 304, 404 or 410, any other status, or nothing. */
export const UPSTREAM_OUTCOMES = ['found', 'unchanged', 'missing', 'refused', 'failed'] as const;
export type UpstreamOutcome = (typeof UPSTREAM_OUTCOMES)[number];

export const REQUEST_OUTCOMES = ['new', 'joined', 'hit', 'rejected'] as const;

/**
 * The ends of attempts. `failed`: the same request would fail again; `given-up`: it was the last attempt, or another is
 * of no use; `retrying`: another attempt follows.
 */
export const BUILD_OUTCOMES = ['done', 'failed', 'given-up', 'retrying', 'handed-back', 'lost'] as const;
export type BuildOutcome = (typeof BUILD_OUTCOMES)[number];

/** The end of the attempt, where the event is one. */
export function buildOutcome(event: RunEvent): BuildOutcome | undefined {
  switch (event.type) {
    case 'failed':
      return event.build.cached ? 'failed' : 'given-up';
    case 'done':
    case 'retrying':
    case 'handed-back':
    case 'lost':
      return event.type;
    case 'started':
    case 'step':
    case 'log':
    case 'ignored':
      return undefined;
  }
}

/** Whether the attempt bore out what the server had forecast of its order, where the event is the end of a build. */
export function forecastOf(event: RunEvent): { verdict: OrderForecast['verdict']; outcome: ForecastOutcome } | undefined {
  if ((event.type !== 'done' && event.type !== 'failed') || event.order?.forecast === undefined) return undefined;
  const { verdict } = event.order.forecast;
  const outcome = event.type === 'done' ? outcomeOfImage(event.order, event.output) : outcomeOfFailure(event.order, event.cause);
  return { verdict, outcome };
}

/** The builds that a sweep dealt with, by what it did. `error`: the sweep failed, and the next one tries again. */
export const SWEPT_OUTCOMES = ['sent', 'returned', 'failed', 'unpublished', 'removed', 'error'] as const;
export type SweptOutcome = (typeof SWEPT_OUTCOMES)[number];

/** How many builds a sweep dealt with, by what it did. */
export const sweptCounts = ({ errors, unread: _, ...counts }: Swept): Readonly<Record<SweptOutcome, number>> => ({
  ...counts,
  error: errors.length,
});

/** The method as a label: clients may send any, labels have to be few. */
export const methodLabel = (method: string): string => (METHODS.has(method) ? method : 'other');
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** The seconds between two times of a build, at least 0: the clocks of two machines may disagree. */
export const secondsBetween = (from: string, until: string): number => Math.max(0, (Date.parse(until) - Date.parse(from)) / 1000);
