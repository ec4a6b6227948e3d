import type { RunEvent } from '#core/build/run-event.ts';
import type { Answered } from './answered.ts';

/** What metrics are told, whoever keeps them: Prometheus where a process lives, CloudWatch where it is only called. */
export interface MetricEvents {
  readonly onAnswered: (answered: Answered) => void;
  /** `new`, `joined`, `hit` or `rejected`, for every request that passed the schema. */
  readonly onRequest: (outcome: string) => void;
  readonly onRunEvent: (event: RunEvent) => void;
  readonly onUpstream: (outcome: UpstreamOutcome, seconds: number) => void;
}

/** What became of asking upstream: 200, 304, 404 or 410, any other status, no answer at all. */
export const UPSTREAM_OUTCOMES = ['found', 'unchanged', 'missing', 'refused', 'failed'] as const;
export type UpstreamOutcome = (typeof UPSTREAM_OUTCOMES)[number];

export const REQUEST_OUTCOMES = ['new', 'joined', 'hit', 'rejected'] as const;

/**
 * How attempts end. `failed`: as the same request would again; `given-up`: after the last attempt, or where another is of no use;
 * `retrying`: another follows.
 */
export const BUILD_OUTCOMES = ['done', 'failed', 'given-up', 'retrying', 'handed-back', 'lost'] as const;
export type BuildOutcome = (typeof BUILD_OUTCOMES)[number];

/** The end that an event tells of, if it does. */
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

/** Methods are few, whatever clients send. */
export const methodLabel = (method: string): string => (METHODS.has(method) ? method : 'other');
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** Seconds between two times of a build; clocks of different machines may disagree. */
export const secondsBetween = (from: string, until: string): number => Math.max(0, (Date.parse(until) - Date.parse(from)) / 1000);
