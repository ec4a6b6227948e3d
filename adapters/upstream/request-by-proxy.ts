import { get as httpGet, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { get as httpsGet, request as httpsRequest } from 'node:https';
import { isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { urlToHttpOptions } from 'node:url';
import { withoutBrackets } from '#lib/without-brackets.ts';
import { shownProxy } from './proxies.ts';

export type GetOptions = Pick<RequestOptions, 'headers' | 'signal'>;

/**
 * Sends a GET through an HTTP proxy: an `http:` URL as the proxy's own request, an `https:` URL through a tunnel, whose
 * other end must have a certificate for the URL's host. It makes the tunnel itself, since a request through the agents
 * of Node 24.21 (`proxyEnv`) never ends when its signal aborts before the proxy has answered. No error holds the
 * proxy's user name or password.
 */
export async function getByProxy(proxy: URL, url: URL, options: GetOptions): Promise<IncomingMessage> {
  if (url.protocol === 'https:') return getByTunnel(proxy, url, options);
  const get = proxy.protocol === 'https:' ? httpsGet : httpGet;
  return new Promise((resolve, reject) => {
    get(
      {
        ...ofProxy(proxy),
        ...options,
        path: `${url.origin}${url.pathname}${url.search}`,
        auth: urlToHttpOptions(url).auth,
        headers: { ...options.headers, host: url.host, ...authorization(proxy) },
      },
      resolve,
    ).on('error', reject);
  });
}

async function getByTunnel(proxy: URL, url: URL, options: GetOptions): Promise<IncomingMessage> {
  const socket = await openTunnel(proxy, `${url.hostname}:${url.port || 443}`, options);
  const host = withoutBrackets(url.hostname);
  return new Promise((resolve, reject) => {
    const secured = () => connectTls({ socket, host, ...(isIP(host) === 0 && { servername: host }) });
    httpsGet(url, { ...options, defaultPort: 443, createConnection: secured }, resolve).on('error', (error) => {
      socket.destroy();
      reject(error);
    });
  });
}

function openTunnel(proxy: URL, target: string, { signal }: GetOptions): Promise<Socket> {
  const request = proxy.protocol === 'https:' ? httpsRequest : httpRequest;
  const headers = { host: target, ...authorization(proxy) };
  return new Promise((resolve, reject) => {
    request({ ...ofProxy(proxy), ...(signal && { signal }), method: 'CONNECT', path: target, headers })
      .on('connect', ({ statusCode }, socket, head) => {
        if (statusCode === 200 && head.length === 0) return resolve(socket);
        socket.destroy();
        reject(new Error(`the proxy ${shownProxy(proxy)} answers ${statusCode} for ${target}`));
      })
      .on('response', (answer) => {
        answer.destroy();
        reject(new Error(`the proxy ${shownProxy(proxy)} answers ${answer.statusCode} for ${target}`));
      })
      .on('error', (cause) => reject(new Error(`the proxy ${shownProxy(proxy)} cannot be used: ${cause.message}`, { cause })))
      .end();
  });
}

const ofProxy = (proxy: URL): RequestOptions => {
  const { hostname, port } = urlToHttpOptions(proxy);
  return { hostname: hostname ?? '', port: port || (proxy.protocol === 'https:' ? 443 : 80), agent: false };
};

function authorization({ username, password }: URL): Record<string, string> {
  if (username === '' && password === '') return {};
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(credentials).toString('base64')}` };
}
