import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BUILD_STEPS } from '#core/build/build.ts';
import { type DemoUpstreamServer, serveDemoUpstream } from '#demo/upstream/serve.ts';
import { downloadAll, type Finished } from '#test/support/download.ts';
import { type ServerProcess, serverProcess } from '#test/support/server-process.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';

/** A build whose last step is slow, so that there is time to kill the server. */
const REQUEST = { version: '24.10.2', target: 'ath79/generic', profile: 'test', packages: ['slow-2', 'vim'] };

let upstream: DemoUpstreamServer;
let dataDir: string;
let server: ServerProcess | undefined;
beforeAll(async () => {
  upstream = await serveDemoUpstream();
});
afterAll(() => upstream.close());
beforeEach(async () => {
  dataDir = await temporaryDirectory();
});
afterEach(async () => {
  await server?.kill();
  upstream.faults.clear();
});

/** Starts the server. A build that was lost is tried again after one second. */
const start = () => serverProcess(dataDir, upstream.url, { RETRY_DELAYS: '1' });

const submit = async (url: string) => {
  const response = await fetch(`${url}/api/v1/build`, { method: 'POST', body: JSON.stringify(REQUEST) });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};

async function untilEnded(url: string, hash: unknown) {
  for (;;) {
    const response = await fetch(`${url}/api/v1/build/${hash}`);
    const body = (await response.json()) as Finished & { detail: string };
    if (response.status !== 202) return { status: response.status, body };
    await delay(100);
  }
}

async function untilStep(running: ServerProcess, step: string) {
  while (!running.lines.some((line) => line.includes('"build step entered"') && line.includes(`"step":"${step}"`))) await delay(2);
}

describe('kill -9', () => {
  it.each(['accepted', ...BUILD_STEPS])('at %s loses no accepted build', async (moment) => {
    if (moment === 'download_imagebuilder') upstream.faults.add(/openwrt-imagebuilder.*\.tar/, { kind: 'slow', ms: 1_000 }, { times: 1 });
    server = await start();
    const accepted = await submit(server.url);
    expect(accepted.status).toBe(202);
    if (moment !== 'accepted') await untilStep(server, moment);
    await server.kill();

    server = await start();
    const { status, body } = await untilEnded(server.url, accepted.body['request_hash']);
    expect([status, body.detail]).toEqual([200, 'done']);
    await downloadAll(server.url, body);
    expect((await submit(server.url)).body['bin_dir']).toBe(body.bin_dir);
    expect(await readdir(join(dataDir, 'public', 'store'))).toEqual([body.bin_dir]);
  });
});

describe('a second server on the same data', () => {
  it('does not start, and says why; the first goes on', async () => {
    server = await start();
    await expect(start()).rejects.toThrow(/ended with 1/);
    expect((await fetch(`${server.url}/health`)).status).toBe(200);
  });
});

describe('SIGTERM', () => {
  it('hands the build back and ends cleanly, and the next start takes the build up at once', async () => {
    server = await start();
    const accepted = await submit(server.url);
    await untilStep(server, 'building_image');
    expect(await server.stop()).toBe(0);
    expect(server.lines.some((line) => line.includes('"build handed back"'))).toBe(true);

    server = await start();
    const { status, body } = await untilEnded(server.url, accepted.body['request_hash']);
    expect(status).toBe(200);
    await downloadAll(server.url, body);
  });
});
