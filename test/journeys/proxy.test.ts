import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { demoUpstreamKey } from '#demo/upstream/key.ts';
import { type DemoUpstreamServer, serveDemoUpstream } from '#demo/upstream/serve.ts';
import { type ForwardProxy, startForwardProxy } from '#test/support/forward-proxy.ts';
import { selfSignedCertificate } from '#test/support/self-signed-certificate.ts';
import { serverProcess } from '#test/support/server-process.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';

const ends: (() => unknown)[] = [];
let upstream: DemoUpstreamServer;
let proxy: ForwardProxy;
let env: Record<string, string>;

/** Upstream is a name that only the proxy knows, behind TLS with a certificate that the server must trust. */
beforeAll(async () => {
  upstream = await serveDemoUpstream();
  const { cert, key } = selfSignedCertificate('upstream.example');
  const secured = createServer({ cert, key }, (asked, answer) => {
    httpRequest(upstream.url + asked.url, { headers: asked.headers }, (got) => {
      answer.writeHead(got.statusCode ?? 502, got.headers);
      got.pipe(answer);
    }).end();
  });
  await new Promise<void>((resolve) => secured.listen(0, '127.0.0.1', resolve));
  proxy = await startForwardProxy({
    hosts: { 'upstream.example:443': `127.0.0.1:${(secured.address() as AddressInfo).port}` },
    credentials: 'operator:hidden-password',
  });
  ends.push(upstream.close, proxy.close, () => {
    secured.close();
    secured.closeAllConnections();
  });
  const authority = join(await temporaryDirectory(), 'authority.pem');
  await writeFile(authority, cert);
  env = {
    NODE_EXTRA_CA_CERTS: authority,
    https_proxy: `http://operator:hidden-password@${proxy.host}`,
    TRUSTED_KEYS: demoUpstreamKey.base64,
  };
});
afterAll(async () => {
  for (const end of ends.reverse()) await end();
});

it('a server behind a proxy reads the catalogue, downloads the ImageBuilder and builds, and logs no password', async () => {
  const server = await serverProcess(join(await temporaryDirectory(), 'data'), 'https://upstream.example', env);
  try {
    const ask = async (path: string, init?: RequestInit) => {
      const response = await fetch(server.url + path, init);
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    };
    const asked = { version: '24.10.2', target: 'x86/64', profile: 'generic', packages: ['vim'] };
    let answer = await ask('/api/v1/build', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(asked),
    });
    const { request_hash: hash } = answer.body;
    while (answer.status === 202) {
      await delay(100);
      answer = await ask(`/api/v1/build/${hash}`);
    }
    expect(answer).toMatchObject({ status: 200, body: { manifest: { vim: expect.any(String) } } });
    expect(server.lines.join('\n')).not.toMatch(/hidden-password|b3BlcmF0b3I6/);
    expect(upstream.requests.some(({ path }) => path.endsWith('.ipk'))).toBe(true);
    expect(proxy.requests).not.toHaveLength(0);
    expect(new Set(proxy.requests.map(({ line, credentials }) => `${line} ${credentials}`))).toEqual(
      new Set(['CONNECT upstream.example:443 operator:hidden-password']),
    );
  } finally {
    await server.stop();
  }
});

it('doctor names the proxy of upstream, without its password', async () => {
  const run = (more: Record<string, string>) =>
    promisify(execFile)(process.execPath, ['standalone/doctor.ts'], {
      env: { PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin', ASU_CONFIG: '/dev/null', ...more },
    }).then(
      ({ stdout }) => stdout,
      ({ stdout }: { stdout: string }) => stdout,
    );
  const data = { ASU_DATA_DIR: await temporaryDirectory() };
  const behind = await run({ ...env, ...data, UPSTREAM_URL: 'https://upstream.example' });
  expect(behind).toContain(`Upstream https://upstream.example, through the proxy ${proxy.url}: ok`);
  expect(behind).not.toContain('hidden-password');
  const beside = await run({ ...env, ...data, http_proxy: proxy.url, NO_PROXY: '127.0.0.0/8', UPSTREAM_URL: upstream.url });
  expect(beside).toContain(`Upstream ${upstream.url}, without a proxy: ok`);
});
