import pRetry from 'p-retry';
import { collectAtMost } from '#lib/collected-bytes.ts';
import { hasCode } from '#lib/has-code.ts';
import { reasonOf } from '../download/upstream-sums.ts';

/** Thrown when a file is unavailable, with wget's exit code: 4 for network failures, 8 for a server that refuses. */
export class FetchFailure extends Error {
  readonly code: 4 | 8;
  /**
   * A certain cause, if one is known: the server of the URL has no such file, or its bytes are not what the index says.
   */
  readonly kind: 'absent' | 'checksum' | undefined;

  constructor(message: string, code: 4 | 8, kind?: 'absent' | 'checksum') {
    super(message);
    this.code = code;
    this.kind = kind;
  }
}

/** Returns whether a file could not be had because its server did not answer, or answered with a fault of its own. */
export const isNetworkFailure = ({ code, kind }: FetchFailure): boolean => code === 4 && kind === undefined;

export interface ListedFetch {
  readonly fetch: typeof fetch;
  /** The function for requests to another host than the repository's. It connects to public addresses only. */
  readonly fetchPublicly: typeof fetch;
  /** The number of attempts for one file. */
  readonly attempts: number;
  /** The first pause between attempts. It doubles each time. */
  readonly backoffMs: number;
  /** The time in which a download must receive `PROGRESS_BYTES`, or come to its end; otherwise it is given up. */
  readonly stallMs: number;
  /** The time, by `performance.now()`, at which the build is over. No download goes on beyond it. */
  readonly deadline: number;
  readonly signal: AbortSignal;
}

const MAX_REDIRECTS = 5;

/**
 * A download that goes on must receive this much within `stallMs`: a server that sends now and then a byte holds no
 * build.
 */
const PROGRESS_BYTES = 16 * 1024;

/**
 * Returns the bytes at a URL that a repository lists, at most `maxBytes`. Throws `FetchFailure`, or the signal's
 * reason.
 */
export async function fetchListed(url: string, maxBytes: number, options: ListedFetch): Promise<Buffer> {
  const { attempts, backoffMs, deadline, signal } = options;
  const attempt = (): Promise<Buffer> =>
    fetchOnce(url, maxBytes, options).catch((error: unknown) => {
      signal.throwIfAborted();
      throw asFailure(error);
    });
  return pRetry(attempt, {
    retries: attempts - 1,
    minTimeout: backoffMs,
    signal,
    shouldRetry: ({ error, attemptNumber }) =>
      error instanceof FetchFailure && error.code === 4 && performance.now() + backoffMs * 2 ** (attemptNumber - 1) < deadline,
  });
}

function asFailure(error: unknown): FetchFailure {
  if (error instanceof FetchFailure) return error;
  const isRefused = error instanceof Error && hasCode(error.cause, 'EPRIVATEADDRESS');
  return new FetchFailure(reasonOf(error), isRefused ? 8 : 4);
}

async function fetchOnce(url: string, maxBytes: number, { fetch, fetchPublicly, stallMs, deadline, signal }: ListedFetch): Promise<Buffer> {
  const stalled = new AbortController();
  const stop = (why: string) => () => stalled.abort(new Error(why));
  const watch = setTimeout(stop(`fewer than ${PROGRESS_BYTES} bytes received in ${stallMs} ms`), stallMs);
  let received = 0;
  const onReceived = ({ length }: Uint8Array): void => {
    received += length;
    if (received < PROGRESS_BYTES) return;
    received = 0;
    watch.refresh();
  };
  const end = setTimeout(stop('the time of the build is over'), Math.max(0, deadline - performance.now()));
  try {
    const { response, isElsewhere } = await follow(url, { fetch, fetchPublicly }, AbortSignal.any([signal, stalled.signal]));
    if (response.status !== 200) {
      await response.body?.cancel();
      const isAbsent = !isElsewhere && (response.status === 404 || response.status === 410);
      throw new FetchFailure(
        `HTTP ${response.status}`,
        response.status >= 500 || response.status === 429 ? 4 : 8,
        isAbsent ? 'absent' : undefined,
      );
    }
    const tooLong = () => new FetchFailure(`longer than ${maxBytes} bytes`, 8);
    const bytes = await collectAtMost(response.body, maxBytes, tooLong, onReceived);
    const length = response.headers.get('content-length');
    if (length !== null && Number(length) !== bytes.length) throw new FetchFailure(`cut off after ${bytes.length} of ${length} bytes`, 4);
    return bytes;
  } finally {
    clearTimeout(watch);
    clearTimeout(end);
  }
}

/**
 * Follows redirections within one server, and to other servers by https only. The server reaches addresses that a build
 * must not reach, but nothing on its loopback, in its network or with a cloud's credentials has a certificate for a
 * public name. Besides, another host than the repository's must have a public address: only the operator leads the
 * server into its own network.
 */
async function follow(first: string, { fetch, fetchPublicly }: Pick<ListedFetch, 'fetch' | 'fetchPublicly'>, signal: AbortSignal) {
  const { hostname } = new URL(first);
  let url = new URL(first);
  let isElsewhere = false;
  for (let redirects = 0; ; redirects++) {
    const response = await (isElsewhere ? fetchPublicly : fetch)(url, {
      signal,
      redirect: 'manual',
      headers: { 'accept-encoding': 'identity' },
    });
    const location = response.headers.get('location');
    if (response.status < 300 || response.status > 399 || location === null) return { response, isElsewhere };
    await response.body?.cancel();
    const next = URL.parse(location, url.href);
    if (next === null) throw new FetchFailure('redirected to an invalid URL', 8);
    if (next.origin !== url.origin && next.protocol !== 'https:') throw new FetchFailure(`led to ${next.origin} without https`, 8);
    if (redirects >= MAX_REDIRECTS) throw new FetchFailure('too many redirections', 8);
    url = next;
    isElsewhere ||= next.hostname !== hostname;
  }
}
