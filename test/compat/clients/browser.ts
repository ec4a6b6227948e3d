import type { Answer } from '#test/support/ask.ts';
import { askUrl, fail } from './client.ts';

export interface PageRequest {
  readonly method?: string;
  readonly contentType?: string;
  readonly body?: string;
}

/** An answer from another origin as a page sees it. */
export interface PageAnswer {
  readonly status: number;
  readonly ok: boolean;
  /** The URL after redirects. */
  readonly url: string;
  readonly bytes: Buffer;
  readonly text: string;
  /** The simple headers and those that the server exposes. */
  header(name: string): string | undefined;
}

export interface Browser {
  /** Rejects what CORS forbids, like an XMLHttpRequest, but with the reason. */
  send(url: string, request?: PageRequest): Promise<PageAnswer>;
  /** Preflights sent so far, `METHOD URL`. */
  readonly preflights: readonly string[];
}

const SIMPLE_TYPES = ['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain'];
const SAFE_METHODS = ['GET', 'HEAD', 'POST'];
const SIMPLE_HEADERS = ['cache-control', 'content-language', 'content-length', 'content-type', 'expires', 'last-modified', 'pragma'];

/** A page's requests to other origins, without credentials: preflight, check of each hop, hidden headers (docs/contract.md §9.8). */
export function browser(origin: string): Browser {
  const preflights: string[] = [];
  const allowed = new Map<string, number>();

  async function preflight(url: string, method: string): Promise<void> {
    const key = `${method} ${url}`;
    if ((allowed.get(key) ?? 0) > Date.now()) return;
    preflights.push(key);
    const answer = await askUrl(url, {
      method: 'OPTIONS',
      headers: { Origin: origin, 'Access-Control-Request-Method': method, 'Access-Control-Request-Headers': 'content-type' },
    });
    checkOrigin(answer, origin, `preflight of ${key}`);
    if (answer.status < 200 || answer.status > 299) fail(`preflight of ${key}: ${answer.status}`);
    const list = (name: string) => (answer.header(name) ?? '').toLowerCase().split(/\s*,\s*/);
    if (!SAFE_METHODS.includes(method) && !list('access-control-allow-methods').includes(method.toLowerCase()))
      fail(`preflight: method ${method} is not allowed`);
    const headers = list('access-control-allow-headers');
    if (!headers.includes('content-type') && !headers.includes('*')) fail('preflight: content-type is not allowed');
    allowed.set(key, Date.now() + Number(answer.header('access-control-max-age') ?? 5) * 1000);
  }

  return {
    preflights,
    send: async (url, { method = 'GET', contentType, body } = {}) => {
      let sender = origin;
      for (let at = url, hops = 0; hops < 20; hops++) {
        if (contentType !== undefined && !SIMPLE_TYPES.includes(contentType)) await preflight(at, method);
        const answer = await askUrl(at, {
          method,
          headers: {
            Origin: sender,
            // Browsers accept compressed answers and unpack them.
            'Accept-Encoding': 'gzip, deflate, br, zstd',
            ...(contentType !== undefined && { 'Content-Type': contentType }),
          },
          body,
        });
        checkOrigin(answer, sender, `${method} ${at}`);
        if (![301, 302, 303, 307, 308].includes(answer.status)) return seen(answer, at);
        const next = new URL(answer.header('location') ?? fail('redirect without location'), at);
        // A second origin does not learn the first.
        if (next.origin !== new URL(at).origin) sender = 'null';
        at = next.href;
      }
      return fail(`too many redirects from ${url}`);
    },
  };
}

function checkOrigin(answer: Answer, origin: string, what: string): void {
  const origins = answer.headerLines.filter(([name]) => name === 'access-control-allow-origin').map(([, value]) => value);
  if (origins.length !== 1) fail(`${what}: ${origins.length} Access-Control-Allow-Origin`);
  if (origins[0] !== '*' && origins[0] !== origin) fail(`${what}: only for ${origins[0]}`);
}

function seen(answer: Answer, url: string): PageAnswer {
  const exposed = (answer.header('access-control-expose-headers') ?? '').toLowerCase().split(/\s*,\s*/);
  return {
    status: answer.status,
    ok: answer.status >= 200 && answer.status <= 299,
    url,
    bytes: answer.bytes,
    text: answer.text,
    header: (name) => ([...SIMPLE_HEADERS, ...exposed].includes(name.toLowerCase()) ? answer.header(name) : undefined),
  };
}
