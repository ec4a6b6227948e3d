import { StoreUnavailableError, ThrottledError } from '#core/errors.ts';

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

/** The codes and names of errors of connections that could not be made, broke off, or were silent for too long. */
const UNREACHABLE = new Set([
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
  'TimeoutError',
]);

/**
 * Waits for a call to AWS. When the SDK has given up, it throws `ThrottledError` if the service throttled all attempts,
 * and `StoreUnavailableError` if the service could not be reached or failed by its own fault; other errors unchanged.
 */
export async function withServiceError<T>(what: string, call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if (CODES.has(error.name)) throw new ThrottledError(what, { cause: error });
    const reason = reasonOf(error);
    throw reason === undefined ? error : new StoreUnavailableError(what, reason);
  }
}

/** Returns why the service cannot be used, in words that name no object, or `undefined` for an error of another kind. */
function reasonOf(error: Error & { readonly code?: unknown; readonly $metadata?: { readonly httpStatusCode?: number } }) {
  const { code, name, $metadata } = error;
  if (typeof code === 'string' && UNREACHABLE.has(code)) return code;
  if (UNREACHABLE.has(name)) return name;
  const status = $metadata?.httpStatusCode;
  return status !== undefined && status >= 500 ? `${status} ${name}` : undefined;
}
