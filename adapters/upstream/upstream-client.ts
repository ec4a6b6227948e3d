import { createHash } from 'node:crypto';
import pRetry from 'p-retry';
import type { CircuitBreaker } from '#lib/circuit-breaker.ts';
import { collectedBytes } from '#lib/collected-bytes.ts';
import { upstreamUrl } from './upstream-url.ts';

/** The failure of a request to upstream: there was no answer, or none with the file. A later attempt may succeed. */
export class UpstreamFailure extends Error {
  override readonly name = 'UpstreamFailure';
  /** Whether it is useful to ask again at once. */
  readonly transient: boolean;
  constructor(path: string, reason: string, transient: boolean, options?: ErrorOptions) {
    super(`${path}: ${reason}`, options);
    this.transient = transient;
  }
}

/** The validators of a copy, with which upstream can answer "unchanged". */
export interface Validators {
  readonly etag?: string;
  readonly lastModified?: string;
}

type UpstreamAnswer =
  | {
      readonly kind: 'found';
      readonly bytes: Uint8Array;
      /** Lower-case hex SHA-256 of the bytes. */
      readonly digest: string;
      readonly validators: Validators;
    }
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'missing' };

export interface UpstreamClient {
  /**
   * Returns upstream's answer for a file. It reads at most `maxBytes`: a longer file is a failure that is not
   * transient. With `validators` the answer may be `unchanged`. With `reload` it asks caches on the way to ask the
   * origin.
   */
  get(
    path: string,
    options: { readonly maxBytes: number; readonly validators?: Validators | undefined; readonly reload?: boolean },
  ): Promise<UpstreamAnswer>;
}

export interface UpstreamClientOptions {
  readonly baseUrl: string;
  readonly breaker: CircuitBreaker;
  /** The function for requests, for processes that need a proxy or an agent. */
  readonly fetch: typeof fetch;
  /** The time without a byte after which an attempt ends. */
  readonly idleMs: number;
  /** The limit for all attempts for one file together. */
  readonly totalMs: number;
  readonly retries: number;
}

const RETRY_AFTER_MS = 200;

/**
 * Returns a client that gets files below the upstream base: with size limits, retries with jitter (no other code
 * retries) and the circuit breaker.
 */
export function upstreamClient({ baseUrl, breaker, fetch, idleMs, totalMs, retries }: UpstreamClientOptions): UpstreamClient {
  return {
    get(path, { maxBytes, validators, reload = false }) {
      const signal = AbortSignal.timeout(totalMs);
      const headers = {
        ...conditions(validators),
        ...(reload && { 'Cache-Control': 'no-cache' }),
        // The digest is that of the file as upstream stores it.
        ...(path.endsWith('.gz') && { 'Accept-Encoding': 'identity' }),
      };
      const attempt = async () => {
        // A failure that upstream answers on purpose, such as 403, must not open the breaker, so it is thrown outside
        // of it.
        const answer = await breaker.run(() => ask(path, headers, maxBytes, signal));
        if (answer instanceof UpstreamFailure) throw answer;
        return answer;
      };
      return pRetry(attempt, {
        retries,
        minTimeout: RETRY_AFTER_MS,
        randomize: true,
        signal,
        shouldRetry: ({ error }) => error instanceof UpstreamFailure && error.transient,
      });
    },
  };

  async function ask(
    path: string,
    headers: Record<string, string>,
    maxBytes: number,
    signal: AbortSignal,
  ): Promise<UpstreamAnswer | UpstreamFailure> {
    const idle = new AbortController();
    const timer = setTimeout(() => idle.abort(new Error(`nothing came for ${idleMs} ms`)), idleMs);
    try {
      const response = await fetch(upstreamUrl(baseUrl, path), { headers, signal: AbortSignal.any([signal, idle.signal]) });
      if (response.status === 200) {
        const body = await readBody(response, maxBytes, () => timer.refresh());
        if (body === undefined) return new UpstreamFailure(path, `upstream's file has more than ${maxBytes} bytes`, false);
        return { kind: 'found', ...body, validators: validatorsOf(response) };
      }
      await response.body?.cancel();
      if (response.status === 304) return { kind: 'unchanged' };
      if (response.status === 404 || response.status === 410) return { kind: 'missing' };
      const transient = response.status >= 500 || response.status === 429 || response.status === 408;
      const failure = new UpstreamFailure(path, `upstream answers ${response.status}`, transient);
      if (transient) throw failure;
      return failure;
    } catch (cause) {
      if (cause instanceof UpstreamFailure) throw cause;
      throw new UpstreamFailure(path, reasonOf(cause), !signal.aborted, { cause });
    } finally {
      clearTimeout(timer);
    }
  }
}

/**
 * Returns the body and its digest, or `undefined` when the body is too long. It computes the digest as the bytes
 * arrive, so that a long file does not block the process.
 */
async function readBody(
  response: Response,
  maxBytes: number,
  onProgress: () => void,
): Promise<{ bytes: Uint8Array; digest: string } | undefined> {
  const collected = collectedBytes();
  const hash = createHash('sha256');
  for await (const chunk of response.body ?? []) {
    onProgress();
    if (collected.size + chunk.byteLength > maxBytes) return undefined;
    hash.update(chunk);
    collected.add(chunk);
  }
  return { bytes: collected.bytes(), digest: hash.digest('hex') };
}

const conditions = (validators: Validators | undefined): Record<string, string> => ({
  ...(validators?.etag !== undefined && { 'If-None-Match': validators.etag }),
  ...(validators?.lastModified !== undefined && { 'If-Modified-Since': validators.lastModified }),
});

function validatorsOf({ headers }: Response): Validators {
  const etag = headers.get('ETag');
  const lastModified = headers.get('Last-Modified');
  return { ...(etag !== null && { etag }), ...(lastModified !== null && { lastModified }) };
}

/** Returns the message of an error, or that of its cause: "fetch failed" alone says nothing. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error && error.cause.message !== '' ? error.cause.message : error.message;
}
