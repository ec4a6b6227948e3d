import { setTimeout as sleep } from 'node:timers/promises';
import { reasonOf } from '../download/upstream-sums.ts';

/** What keeps a file from being had, and what wget would exit with: 4 for the network, 8 for a server that says no. */
export class FetchFailure extends Error {
  readonly code: 4 | 8;

  constructor(message: string, code: 4 | 8) {
    super(message);
    this.code = code;
  }
}

export interface ListedFetch {
  readonly fetch: typeof fetch;
  /** Connections tried for one file before giving up. */
  readonly attempts: number;
  /** First pause between attempts; doubles each time. */
  readonly backoffMs: number;
  readonly signal: AbortSignal;
}

const MAX_REDIRECTS = 5;

/** A package has some megabytes. */
const TIMEOUT_MS = 120_000;

/** The bytes at a URL that a repository lists, at most `maxBytes`. Throws `FetchFailure`, or the signal's reason. */
export async function fetchListed(url: string, maxBytes: number, options: ListedFetch): Promise<Buffer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await fetchOnce(url, maxBytes, options);
    } catch (error) {
      options.signal.throwIfAborted();
      const failure = error instanceof FetchFailure ? error : new FetchFailure(reasonOf(error), 4);
      if (failure.code === 8 || attempt >= options.attempts) throw failure;
      await sleep(options.backoffMs * 2 ** (attempt - 1), undefined, { signal: options.signal });
    }
  }
}

async function fetchOnce(url: string, maxBytes: number, { fetch, signal }: ListedFetch): Promise<Buffer> {
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  const response = await follow(url, fetch, bounded);
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new FetchFailure(`HTTP ${response.status}`, response.status >= 500 ? 4 : 8);
  }
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.length;
    if (size > maxBytes) throw new FetchFailure(`longer than ${maxBytes} bytes`, 8);
    parts.push(part);
  }
  const length = response.headers.get('content-length');
  if (length !== null && Number(length) !== size) throw new FetchFailure(`cut off after ${size} of ${length} bytes`, 4);
  return Buffer.concat(parts);
}

/**
 * Follows redirections within one server, and to others by https alone: we reach what a build must not, and nothing that answers
 * on this machine's loopback, in its network or with a cloud's credentials has a certificate that counts for a name on the internet.
 */
async function follow(first: string, fetch: ListedFetch['fetch'], signal: AbortSignal): Promise<Response> {
  let url = new URL(first);
  for (let redirects = 0; ; redirects++) {
    const response = await fetch(url, { signal, redirect: 'manual', headers: { 'accept-encoding': 'identity' } });
    const location = response.headers.get('location');
    if (response.status < 300 || response.status > 399 || location === null) return response;
    await response.body?.cancel();
    const next = new URL(location, url);
    if (next.origin !== url.origin && next.protocol !== 'https:') throw new FetchFailure(`led to ${next.origin} without https`, 8);
    if (redirects >= MAX_REDIRECTS) throw new FetchFailure('too many redirections', 8);
    url = next;
  }
}
