import { ThrottledError } from '#core/errors.ts';

/**
 * The codes with which AWS services refuse too many calls at once. The SDK retries with backoff before it throws one.
 */
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

/**
 * Waits for a call to AWS. Throws `ThrottledError` when the service throttled all of the SDK's attempts, and other
 * errors unchanged.
 */
export async function withThrottledError<T>(what: string, call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw error instanceof Error && CODES.has(error.name) ? new ThrottledError(what, { cause: error }) : error;
  }
}
