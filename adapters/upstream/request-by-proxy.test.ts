import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { type ForwardProxyOptions, startForwardProxy } from '#test/support/forward-proxy.ts';
import { type HttpHandler, startHttpServer } from '#test/support/http-server.ts';
import { type SelfSignedCertificate, selfSignedCertificate } from '#test/support/self-signed-certificate.ts';
import { fetchPubliclyThrough, fetchThrough } from './fetch-by-node-http.ts';
import { proxiesOf } from './proxies.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const CREDENTIALS = 'us er:p@ss%word';

/** Starts a TLS server and returns where it listens. */
async function startSecured({ cert, key }: SelfSignedCertificate, handle: HttpHandler): Promise<string> {
  const server = createServer({ cert, key }, handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A proxy that asks for credentials and alone knows `up.example`, whose server shows what it was asked. */
async function site(options: Partial<ForwardProxyOptions> = {}) {
  const echo: HttpHandler = ({ url, headers }, answer) =>
    url?.startsWith('/away')
      ? answer.writeHead(302, { location: `https://${url.slice(6)}` }).end()
      : answer.end(JSON.stringify({ url, headers }));
  const plain = await startHttpServer(echo);
  const proxy = await startForwardProxy({
    credentials: CREDENTIALS,
    hosts: { 'up.example:80': new URL(plain.url).host },
    ...options,
  });
  ends.push(plain.close, proxy.close);
  const url = `http://us%20er:p%40ss%25word@${proxy.host}`;
  return { proxy, plain, proxies: proxiesOf({ HTTP_PROXY: url, HTTPS_PROXY: url, NO_PROXY: ['127.0.0.1'] }) };
}

/** Trusts a certificate that was made for this test. */
function trust(cert: string): void {
  const before = getCACertificates('default');
  setDefaultCACertificates([...before, cert]);
  ends.push(() => setDefaultCACertificates(before));
}

const reasonOf = (error: { cause?: Error }) => error.cause?.message;

describe('a GET through a proxy', () => {
  it('sends the whole URL of http, the credentials to the proxy alone, and the headers on', async () => {
    const { proxy, proxies } = await site();
    const response = await fetchThrough(proxies)('http://up.example/a/b?c=d#e', { headers: { 'if-none-match': '"x"' } });
    const seen = (await response.json()) as { url: string; headers: Record<string, string> };
    expect(seen).toMatchObject({ url: '/a/b?c=d', headers: { host: 'up.example', 'if-none-match': '"x"' } });
    expect(seen.headers).not.toHaveProperty('proxy-authorization');
    expect(proxy.requests).toEqual([{ line: 'GET http://up.example/a/b?c=d', credentials: CREDENTIALS }]);
  });

  it('goes through a tunnel for https, whose other end must have the certificate of the host', async () => {
    const certificate = selfSignedCertificate('up.example');
    const place = await startSecured(certificate, ({ url, headers }, answer) => answer.end(`${url} of ${headers.host}`));
    const { proxy, proxies } = await site({ hosts: { 'up.example:443': place, 'other.example:443': place } });
    const ask = fetchThrough(proxies);
    expect(reasonOf(await ask('https://up.example/').catch((error) => error))).toContain('self-signed certificate');
    trust(certificate.cert);
    expect(await (await ask('https://up.example/a?b')).text()).toBe('/a?b of up.example');
    expect(reasonOf(await ask('https://other.example/').catch((error) => error))).toContain('does not match certificate');
    expect(proxy.requests.at(-2)).toEqual({ line: 'CONNECT up.example:443', credentials: CREDENTIALS });
  });

  it('does not happen for a host of NO_PROXY', async () => {
    const { proxy, plain, proxies } = await site();
    expect((await fetchThrough(proxies)(`${plain.url}/direct`)).status).toBe(200);
    expect(proxy.requests).toEqual([]);
  });

  it('fails without the credentials in its message when the proxy refuses or is away', async () => {
    const { proxy, proxies } = await site({ credentials: 'other:one' });
    const ask = fetchThrough(proxies);
    expect((await ask('http://up.example/')).status).toBe(407);
    expect(reasonOf(await ask('https://up.example/').catch((error) => error))).toBe(
      `the proxy ${proxy.url} answers 407 for up.example:443`,
    );
    await proxy.close();
    expect(reasonOf(await ask('https://up.example/').catch((error) => error))).toContain(`the proxy ${proxy.url} cannot be used`);
  });

  it('ends when its signal aborts while the proxy is silent', async () => {
    const { proxies } = await site({ silent: 'up.example:443' });
    const abort = new AbortController();
    setTimeout(() => abort.abort(new Error('too long')), 50);
    await expect(fetchThrough(proxies)('https://up.example/', { signal: abort.signal })).rejects.toThrow('too long');
  });
});

describe('a GET to public hosts through a proxy', () => {
  it.each(['https://10.1.2.3/', 'https://[::1]/', 'https://localhost/'])('never asks the proxy for %s', async (url) => {
    const { proxy, proxies } = await site();
    const failure = await fetchPubliclyThrough(proxies)(url).catch((error) => error);
    expect(reasonOf(failure)).toContain('no address of the internet');
    expect(proxy.requests).toEqual([]);
  });

  it('leaves a name to the proxy that this machine cannot look up', async () => {
    const { proxy, proxies } = await site();
    expect((await fetchPubliclyThrough(proxies)('http://up.example/')).status).toBe(200);
    expect(proxy.requests).toHaveLength(1);
  });

  it('refuses a redirection to a private address behind the proxy', async () => {
    const { proxies } = await site();
    const failure = await fetchPubliclyThrough(proxies)('http://up.example/away/192.168.0.1').catch((error) => error);
    expect(reasonOf(failure)).toContain('no address of the internet');
  });
});
