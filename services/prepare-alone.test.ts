import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DemoUpstreamServer, serveDemoUpstream } from '#demo/upstream/serve.ts';

const REQUEST = { version: '24.10.0', target: 'ath79/generic', profile: 'test', packages: ['luci', 'auc'] };

/**
 * The prepare service as its own process. Its only setting is the upstream: it has no state, no credentials and no
 * other service.
 */
let upstream: DemoUpstreamServer;
let service: ChildProcess;
let url: string;
const lines: Record<string, unknown>[] = [];

beforeAll(async () => {
  upstream = await serveDemoUpstream();
  service = spawn(process.execPath, [fileURLToPath(new URL('./main.ts', import.meta.url)), 'prepare'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { UPSTREAM_URL: upstream.url, PORT: '0', SERVICE_NAME: 'asu-prepare', LOG_LEVEL: 'debug' },
  });
  if (service.stdout === null) throw new Error('no output');
  url = await new Promise((resolve, reject) => {
    service.once('exit', (code) => reject(new Error(`ended with ${code}`)));
    createInterface({ input: service.stdout as NodeJS.ReadableStream }).on('line', (text) => {
      const line = JSON.parse(text) as Record<string, unknown>;
      lines.push(line);
      if (line['message'] === 'server listening') resolve(String(line['url']));
    });
  });
});
afterAll(async () => {
  if (service.exitCode === null) service.kill('SIGKILL');
  await upstream.close();
});

const prepare = (headers: Record<string, string> = {}) =>
  fetch(`${url}/api/v1/prepare`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(REQUEST),
  });

describe('prepare alone', () => {
  it('reports the name that its settings give it', async () => {
    expect(await (await fetch(`${url}/health`)).json()).toMatchObject({ service: 'asu-prepare', status: 'ok' });
    expect(await (await fetch(`${url}/metrics`)).text()).toContain('service="asu-prepare"');
  });

  it('resolves packages, and has no routes for builds', async () => {
    const response = await prepare({ 'X-Correlation-Id': 'alone' });
    expect(response.status).toBe(200);
    expect(response.headers.get('X-Correlation-Id')).toBe('alone');
    const answer = await response.json();
    expect(answer).toMatchObject({ resolved_packages: ['luci', 'owut'], changes: [{ from_package: 'auc', to_package: 'owut' }] });
    expect(answer).not.toHaveProperty('cache_available');
    expect((await fetch(`${url}/api/v1/build`, { method: 'POST', body: JSON.stringify(REQUEST) })).status).toBe(404);
  });

  it('has one catalogue for all requests, and reads a target only once', async () => {
    await (await prepare()).text();
    upstream.clearRequests();
    const answers = await Promise.all(Array.from({ length: 20 }, async () => (await prepare()).json()));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(upstream.requests).toEqual([]);
  });

  it('logs at its configured level, with its name in every line', async () => {
    await prepare({ 'X-Correlation-Id': 'logged' });
    await expect.poll(() => lines.some((line) => line['correlation_id'] === 'logged' && line['level'] === 'debug')).toBe(true);
    expect(new Set(lines.map((line) => line['service']))).toEqual(new Set(['asu-prepare']));
  });

  it('ends cleanly on SIGTERM', async () => {
    service.kill('SIGTERM');
    expect((await once(service, 'exit'))[0]).toBe(0);
  });
});
