import { ClientShareError, QueueFullError } from '#core/errors.ts';
import type { Refusal } from '#observe/answered.ts';
import { TooManyRequestsError } from './rate-limit/too-many-requests-error.ts';

/** Returns the kind of refusal that an error stands for, if it is one. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof QueueFullError) return 'queue-full';
  if (error instanceof ClientShareError) return 'client-share';
  return error instanceof TooManyRequestsError ? 'rate' : undefined;
}
