import { ThrottledError } from '#core/errors.ts';

/** Codes by which AWS services say "too much at once"; the SDK has retried with backoff before they come this far. */
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
