import { ExponentialBackoff, fullJitterGenerator, handleType, retry, TimeoutStrategy, timeout, wrap } from 'cockatiel';
import type { AskPrepare } from '#core/request/prepare-remotely.ts';
import { circuitBreaker } from '#lib/circuit-breaker.ts';
import { preparedAnswer } from './prepared-answer.ts';

export interface PrepareServiceOptions {
  /** Where it answers, without a slash at the end. */
  readonly url: string;
  /** All attempts and pauses together; then packages are resolved here. */
  readonly totalMs?: number;
  readonly attemptMs?: number;
  /** How long it is left alone after `FAILURES_TO_OPEN`. */
  readonly openMs?: number;
  /** Told why it was not asked, or not believed. */
  readonly onError?: (reason: unknown) => void;
}

export const PREPARE_TOTAL_MS = 5_000;
/** So that a second attempt has a chance within the whole. */
const ATTEMPT_MS = 2_000;
const RETRIES = 2;
const FIRST_PAUSE_MS = 200;
/** Failed attempts in a row. */
export const FAILURES_TO_OPEN = 5;
export const OPEN_MS = 60_000;
/** A thousand packages with a reason each is a tenth of it. */
const MAX_ANSWER_BYTES = 2 * 1024 * 1024;

/** The prepare service failed to answer; another attempt may fare better. */
class PrepareServiceFailure extends Error {
  override readonly name = 'PrepareServiceFailure';
}

/**
 * The prepare service over HTTP: two retries with full jitter, five seconds in all, left alone for a minute after five failures in a
 * row; then one single attempt decides, during which nobody else waits for it. An answer that refuses the request is no failure:
 * the caller refuses it by itself, in the same words.
 */
export function httpPrepareService(options: PrepareServiceOptions): AskPrepare {
  const { url, totalMs = PREPARE_TOTAL_MS, attemptMs = ATTEMPT_MS, openMs = OPEN_MS, onError } = options;
  // Not cockatiel's, which counts by the time of day: a clock set back would keep it open.
  const breaker = circuitBreaker({ monotonic: () => performance.now(), threshold: FAILURES_TO_OPEN, openMs });
  const policy = wrap(
    timeout(totalMs, TimeoutStrategy.Aggressive),
    retry(handleType(PrepareServiceFailure), {
      maxAttempts: RETRIES,
      backoff: new ExponentialBackoff({ generator: fullJitterGenerator, initialDelay: FIRST_PAUSE_MS, maxDelay: totalMs }),
    }),
  );
  return async (request, correlationId) => {
    // Only what packages depend on: nothing private leaves this process, and no other policy than our own is asked.
    const body = JSON.stringify({ ...request, defaults: null, repositories: {}, repository_keys: [], client: null });
    try {
      return await policy.execute(({ signal }) =>
        breaker.run(() =>
          ask(url, { body, correlationId, signal: AbortSignal.any([signal, AbortSignal.timeout(attemptMs)]) }, (answer) =>
            preparedAnswer(answer, request),
          ),
        ),
      );
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
    const response = await fetch(`${url}/api/v1/prepare`, { method: 'POST', headers, body, signal, redirect: 'error' });
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

/** What it says of the request and not of itself. */
const isRefusal = (status: number) => status === 400 || status === 413 || status === 422;

async function textOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > MAX_ANSWER_BYTES) throw new PrepareServiceFailure('its answer does not end');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
