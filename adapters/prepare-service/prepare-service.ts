import pRetry from 'p-retry';
import type { AskPrepare } from '#core/request/prepare-remotely.ts';
import { circuitBreaker } from '#lib/circuit-breaker.ts';
import { collectAtMost } from '#lib/collected-bytes.ts';
import { preparedAnswer } from './prepared-answer.ts';

export interface PrepareServiceOptions {
  /** The address of the service, without a trailing slash. */
  readonly url: string;
  /** The limit for all attempts and pauses together. After that, the build service resolves the packages itself. */
  readonly totalMs?: number;
  readonly attemptMs?: number;
  /** How long no request goes to the service after `FAILURES_TO_OPEN` failures. */
  readonly openMs?: number;
  /** Called with the reason when the service was not asked or its answer was not used. */
  readonly onError?: (reason: unknown) => void;
}

export const PREPARE_TOTAL_MS = 5_000;
/** The limit for one attempt, short enough for a second attempt within the total. */
const ATTEMPT_MS = 2_000;
const RETRIES = 2;
const FIRST_PAUSE_MS = 200;
/** The number of failed attempts in a row that opens the circuit breaker. */
export const FAILURES_TO_OPEN = 5;
export const OPEN_MS = 60_000;
/** The longest answer that is read. One with a thousand packages and a reason for each has a tenth of this length. */
const MAX_ANSWER_BYTES = 2 * 1024 * 1024;

/** The failure of a prepare service that gave no usable answer. Another attempt may succeed. */
class PrepareServiceFailure extends Error {
  override readonly name = 'PrepareServiceFailure';
}

/**
 * Returns a client of the prepare service over HTTP: with two retries and jitter, within five seconds in all. After
 * five failures in a row it sends nothing for a minute; then a single attempt decides, and no other request waits for
 * that. An answer that refuses the request is no failure: the caller refuses the request itself, in the same words.
 */
export function httpPrepareService(options: PrepareServiceOptions): AskPrepare {
  const { url, totalMs = PREPARE_TOTAL_MS, attemptMs = ATTEMPT_MS, openMs = OPEN_MS, onError } = options;
  const breaker = circuitBreaker({ monotonic: () => performance.now(), threshold: FAILURES_TO_OPEN, openMs });
  return async (request, correlationId) => {
    // The body has only what packages depend on: nothing private leaves this process, and only this service's own
    // policy decides.
    const body = JSON.stringify({ ...request, defaults: null, repositories: {}, repository_keys: [], client: null });
    const total = AbortSignal.timeout(totalMs);
    const attempt = () => {
      const signal = AbortSignal.any([total, AbortSignal.timeout(attemptMs)]);
      return breaker.run(() => ask(url, { body, correlationId, signal }, (answer) => preparedAnswer(answer, request)));
    };
    try {
      return await pRetry(attempt, {
        retries: RETRIES,
        minTimeout: FIRST_PAUSE_MS,
        randomize: true,
        signal: total,
        shouldRetry: ({ error }) => error instanceof PrepareServiceFailure,
      });
    } catch (error) {
      onError?.(error);
      return undefined;
    }
  };
}

async function ask<T>(
  url: string,
  { body, correlationId, signal }: { body: string; correlationId: string; signal: AbortSignal },
  read: (answer: unknown) => T | undefined,
): Promise<T | undefined> {
  try {
    const headers = { 'Content-Type': 'application/json', Accept: 'application/json', 'X-Correlation-Id': correlationId };
    const response = await fetch(`${url}/api/v1/prepare?without_forecast=true`, {
      method: 'POST',
      headers,
      body,
      signal,
      redirect: 'error',
    });
    if (isRefusal(response.status)) {
      await response.body?.cancel();
      return undefined;
    }
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new PrepareServiceFailure(`it answers ${response.status}`);
    }
    const answer = read(JSON.parse(await textOf(response)));
    if (answer === undefined) throw new PrepareServiceFailure('it answers what does not fit the request');
    return answer;
  } catch (cause) {
    if (cause instanceof PrepareServiceFailure) throw cause;
    throw new PrepareServiceFailure(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

/** Returns whether the status refuses the request, and does not report a fault of the service. */
const isRefusal = (status: number) => status === 400 || status === 413 || status === 422;

async function textOf({ body }: Response): Promise<string> {
  return (await collectAtMost(body, MAX_ANSWER_BYTES, () => new PrepareServiceFailure('its answer does not end'))).toString('utf8');
}
