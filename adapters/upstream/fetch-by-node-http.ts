import { get as httpGet, type IncomingMessage, type RequestOptions } from 'node:http';
import { get as httpsGet } from 'node:https';
import { Readable } from 'node:stream';
import { nameCheck } from './check-name.ts';
import { NO_PROXIES, type Proxies, proxyFor } from './proxies.ts';
import { checkLiteral, lookupPublic } from './public-addresses.ts';
import { getByProxy } from './request-by-proxy.ts';

const MAX_REDIRECTS = 5;
const checkName = nameCheck();
const WITHOUT_BODY = [204, 205, 304];

/**
 * Returns a function that sends a GET like the global `fetch`, through the proxies where there are any, and can read a
 * body more slowly than it arrives. The `fetch` of Node 24.21 ends the whole process, past every handler, when a server
 * closes a connection whose body waits to be read (https://github.com/nodejs/undici/issues/5360). That happens with a
 * tarball that is written to a busy disk, and may happen with an index of some megabytes in a small function. All code
 * that reads upstream uses this function. It asks for no content encoding. With `redirect: 'manual'` it returns a
 * redirect as it is.
 */
export function fetchThrough(proxies: Proxies): typeof fetch {
  const ask: Ask = (url, init) => request(url, init, proxyFor(url, proxies));
  return (input, init) => follow(input, init, ask);
}

/** Sends a GET as `fetchThrough` does, and asks every host directly. */
export const fetchByNodeHttp: typeof fetch = fetchThrough(NO_PROXIES);

/**
 * Returns the function of `fetchThrough` for hosts on the internet alone: it connects to no private address, whatever a
 * name or a redirection leads to. A proxy looks names up itself. Such a name is looked up here too, and a private
 * address or a late answer refuses it. A name that this machine cannot look up is left to the proxy.
 */
export function fetchPubliclyThrough(proxies: Proxies): typeof fetch {
  const ask: Ask = async (url, init) => {
    const proxy = proxyFor(url, proxies);
    try {
      checkLiteral(url);
      if (proxy !== undefined) await checkName(url);
    } catch (cause) {
      throw new TypeError('fetch failed', { cause });
    }
    return request(url, init, proxy, { lookup: lookupPublic });
  };
  return (input, init) => follow(input, init, ask);
}

async function follow(input: Parameters<typeof fetch>[0], init: RequestInit = {}, ask: Ask): Promise<Response> {
  let url = new URL(input instanceof Request ? input.url : input);
  for (let redirects = 0; ; redirects++) {
    const answer = await ask(url, init);
    const { statusCode: status = 0, headers } = answer;
    if (status < 300 || status > 399 || headers.location === undefined || WITHOUT_BODY.includes(status) || init.redirect === 'manual')
      return responseOf(answer);
    answer.destroy();
    if (redirects >= MAX_REDIRECTS) throw new TypeError('fetch failed', { cause: new Error('too many redirects') });
    url = new URL(headers.location, url);
  }
}

type Ask = (url: URL, init: RequestInit) => Promise<IncomingMessage>;

async function request(
  url: URL,
  { headers, signal }: RequestInit,
  proxy: URL | undefined,
  how: Pick<RequestOptions, 'lookup'> = {},
): Promise<IncomingMessage> {
  const options = { headers: Object.fromEntries(new Headers(headers)), ...(signal && { signal }) };
  try {
    return await (proxy === undefined ? getDirectly(url, { ...options, ...how }) : getByProxy(proxy, url, options));
  } catch (cause) {
    throw signal?.aborted ? signal.reason : new TypeError('fetch failed', { cause });
  }
}

function getDirectly(url: URL, options: RequestOptions): Promise<IncomingMessage> {
  const get = url.protocol === 'https:' ? httpsGet : httpGet;
  return new Promise((resolve, reject) => {
    get(url, { ...options, agent: false }, resolve).on('error', reject);
  });
}

/** Throws as the global `fetch` does where an answer is none that a `Response` can be made of; its connection is then closed. */
function responseOf(answer: IncomingMessage): Response {
  try {
    return madeOf(answer);
  } catch (cause) {
    answer.destroy();
    throw new TypeError('fetch failed', { cause });
  }
}

function madeOf(answer: IncomingMessage): Response {
  const { statusCode: status = 0 } = answer;
  if (status < 200 || status > 599) throw new Error(`the server answers with the status ${status}, which is none of HTTP`);
  const headers = new Headers();
  for (const [name, values] of Object.entries(answer.headersDistinct)) for (const value of values ?? []) headers.append(name, value);
  if (!WITHOUT_BODY.includes(status)) return new Response(Readable.toWeb(answer) as unknown as ReadableStream, { status, headers });
  answer.destroy();
  return new Response(null, { status, headers });
}
