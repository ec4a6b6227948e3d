import { ThrottledError } from '#core/errors.ts';

/** The codes with which AWS services refuse too many calls at once. The SDK has retried with backoff before it passes one on. */
const CODES = new Set([
  'ProvisionedThroughputExceededException',
  'ThrottlingException',
  'Throttling',
  'ThrottledException',
  'RequestThrottled',
  'RequestThrottledException',
  'RequestLimitExceeded',
  'TooManyRequestsException',
  'OverLimit',
  'SlowDown',
  'KmsThrottled',
]);

/** Lets a call to AWS fail as a `ThrottledError` when it was throttled to the end of the SDK's retries, as it is otherwise. */
export async function withThrottledError<T>(what: string, call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw error instanceof Error && CODES.has(error.name) ? new ThrottledError(what, { cause: error }) : error;
  }
}
