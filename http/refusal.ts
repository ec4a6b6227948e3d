import { ClientShareError, QueueFullError } from '#core/errors.ts';
import { TooManyRequestsError } from './rate-limit/too-many-requests-error.ts';

/** Reasons for which a request is refused that would be accepted at another time. */
export const REFUSALS = ['queue-full', 'client-share', 'rate'] as const;
export type Refusal = (typeof REFUSALS)[number];

/** The refusal that an error tells of, if it does. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof QueueFullError) return 'queue-full';
  if (error instanceof ClientShareError) return 'client-share';
  return error instanceof TooManyRequestsError ? 'rate' : undefined;
}
