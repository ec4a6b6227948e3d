import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type DemoUpstreamServer, serveDemoUpstream } from '#demo/upstream/serve.ts';
import { downloadAll } from '#test/support/download.ts';
import { type ServerProcess, serverProcess } from '#test/support/server-process.ts';
import { type SmallDisks, smallDisks } from '#test/support/small-disks.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';

const X86 = { version: '24.10.2', target: 'x86/64', profile: 'generic', filesystem: 'squashfs' };
const ENV = { SWEEP_EVERY: '1', LEASE: '4', RETRY_DELAYS: '1', WORKER_CONCURRENT: '2' };

let upstream: DemoUpstreamServer;
let dataDir: string;
let disks: SmallDisks | undefined;
let server: ServerProcess;
beforeAll(async () => {
  upstream = await serveDemoUpstream();
});
afterAll(() => upstream.close());
beforeEach(async () => {
  dataDir = await temporaryDirectory();
});
afterEach(async () => {
  await server?.kill();
  await disks?.unmount();
  disks = undefined;
});

/** Starts a server whose directories (below its data directory) are small disks, with sizes in megabytes. */
async function start(sizes: Record<string, number>, env: Record<string, string> = {}): Promise<SmallDisks> {
  const paths = Object.fromEntries(Object.entries(sizes).map(([name, size]) => [join(dataDir, name), size]));
  disks = await smallDisks(paths);
  server = await serverProcess(dataDir, upstream.url, { ...ENV, REBUILD_PAUSE: '1s', ...env }, disks.wrapper);
  return disks;
}

type Body = Record<string, unknown>;

const post = async (packages: string[]) => {
  const response = await fetch(`${server.url}/api/v1/build`, { method: 'POST', body: JSON.stringify({ ...X86, packages }) });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Body };
};
const get = async (hash: unknown) => {
  const response = await fetch(`${server.url}/api/v1/build/${hash}`);
  return { status: response.status, body: (await response.json()) as Body };
};

/** Polls until the build has ended. Every answer before is that of an unfinished build. */
async function ended(hash: unknown) {
  for (;;) {
    const answer = await get(hash);
    if (answer.status !== 202) return answer;
    await delay(100);
  }
}

/** Asks for a build. The server repeats a failure that is not the request's fault for a second before it builds again. */
async function build(packages: string[]) {
  let accepted = await post(packages);
  if (accepted.status === 500) {
    await delay(1_100);
    accepted = await post(packages);
  }
  expect([200, 202]).toContain(accepted.status);
  return ended(accepted.body['request_hash']);
}

/** Checks what works on any disk: pages, catalogue, and everything about earlier builds. */
async function expectAlive(known?: Body) {
  for (const path of ['/json/v1/overview.json', '/api/v1/stats/summary', '/', '/health']) {
    const response = await fetch(server.url + path);
    await response.arrayBuffer();
    expect([path, response.status]).toEqual([path, 200]);
  }
  if (known === undefined) return;
  for (const { status, body } of [await get(known['request_hash']), await post(packagesOf(known))])
    expect({ status, binDir: body['bin_dir'] }).toEqual({ status: 200, binDir: known['bin_dir'] });
  await downloadAll(server.url, known as never);
}

const packagesOf = (body: Body) => (body['request'] as { packages: string[] }).packages;

const expectFailedForTheDisk = ({ status, body }: { status: number; body: Body }) =>
  expect([status, body['detail']]).toEqual([500, expect.stringMatching(/disk is full|no disk space left/)]);

/** The directories of attempts in the store, which are those of finished builds and no others. */
const expectStored = async (...bodies: Body[]) =>
  expect((await readdir(disks?.reach(join(dataDir, 'public/store')) ?? '')).sort()).toEqual(bodies.map((body) => body['bin_dir']).sort());

const leftIn = (directory: string) => readdir(disks?.reach(join(dataDir, directory)) ?? '');

describe('a full disk', { timeout: 180_000 }, () => {
  const DISKS = { state: 16, public: 24, work: 24, cache: 48 };
  const startOnDisks = async () => {
    const small = await start(DISKS, { ASU_DATABASE_PATH: join(dataDir, 'state/asu.db') });
    // The server reads the catalogue before the disk is too full to store it.
    await expectAlive();
    return small;
  };
  const ready = async () => {
    const response = await fetch(`${server.url}/ready`);
    const { checks } = (await response.json()) as { checks: Record<string, string> };
    return { status: response.status, missing: Object.keys(checks).filter((name) => checks[name] !== 'ok'), checks };
  };

  it.each([
    ['state', ['database', 'state']],
    ['public', ['images']],
    ['work', ['builds']],
    ['cache', ['imagebuilders']],
  ])('makes the server not ready, by name: %s', async (name, missing) => {
    const { fill } = await startOnDisks();
    await fill(join(dataDir, name));
    const said = await ready();
    expect(said).toMatchObject({ status: 503, missing });
    for (const check of missing) expect(said.checks[check]).toMatch(/disk is full/);
    expect(JSON.stringify(said.checks)).not.toContain(dataDir);
    if (name === 'state') expect((await post(['vim'])).status).toBe(503);
  });

  it('that has room again makes the server ready again', async () => {
    const { fill, free } = await startOnDisks();
    await fill(join(dataDir, 'public'));
    expect((await ready()).status).toBe(503);
    await free(join(dataDir, 'public'));
    await expect.poll(ready, { timeout: 60_000, interval: 1_000 }).toMatchObject({ status: 200, missing: [] });
    expect(await leftIn('public')).not.toContain('.room-probe');
  });

  it.each([
    ['downloaded', 100_000],
    ['unpacked', 400_000],
  ])('while the ImageBuilder is %s fails the build, and holds up no later one', async (_, leaveBytes) => {
    const { fill, free } = await start({ cache: 48 });
    await fill(join(dataDir, 'cache'), leaveBytes);
    const accepted = await post(['vim']);
    expect(accepted.status).toBe(202);
    expectFailedForTheDisk(await ended(accepted.body['request_hash']));
    await expect.poll(() => leftIn('cache/imagebuilders'), { timeout: 10_000 }).toEqual([]);
    await expectAlive();

    // The server does not remember such a failure: the same request is a new build, even while there is no room yet.
    await delay(1_100);
    expect((await post(['vim'])).status).toBe(202);
    await free(join(dataDir, 'cache'));
    const { status, body } = await build(['vim']);
    expect(status).toBe(200);
    await expectAlive(body);
    await expectStored(body);
  });

  it('while images are made fails the build, whatever filled the disk', async () => {
    const { fill, free } = await start({ work: 24 });
    const { body: first } = await build(['vim']);
    expectFailedForTheDisk(await build(['eats-disk']));
    await expect.poll(() => leftIn('work/builds'), { timeout: 10_000 }).toEqual([]);

    await fill(join(dataDir, 'work'), 300_000);
    expectFailedForTheDisk(await build(['nano']));
    await expectAlive(first);
    await free(join(dataDir, 'work'));
    const { body: second } = await build(['nano']);
    for (const body of [first, second]) await expectAlive(body);
    await expectStored(first, second);
  });

  it('while images are stored fails the build and leaves no file of it', async () => {
    const { fill, free } = await start({ public: 48 });
    const { body: first } = await build(['vim']);
    await fill(join(dataDir, 'public'), 100_000);
    expectFailedForTheDisk(await build(['nano']));
    await expectAlive(first);
    await expectStored(first);
    await free(join(dataDir, 'public'));
    const { body: second } = await build(['nano']);
    await expectAlive(second);
    await expectStored(first, second);
  });

  it('for the database refuses new builds with a readable 503 and loses no accepted build', async () => {
    const { fill, free } = await start({ state: 16 }, { ASU_DATABASE_PATH: join(dataDir, 'state/asu.db') });
    const { body: first } = await build(['vim']);
    const underWay = await Promise.all([post(['slow-2']), post(['slow-2', 'nano'])]);
    expect(underWay.map(({ status }) => status)).toEqual([202, 202]);
    await fill(join(dataDir, 'state'));
    const refused = await post(['nano']);
    expect({ status: refused.status, body: refused.body, retryAfter: Number(refused.headers.get('Retry-After')) }).toEqual({
      status: 503,
      body: {
        status: 503,
        title: 'Service Unavailable',
        detail: "The server's disk is full: no room for the state of builds, please try again later",
      },
      retryAfter: 60,
    });
    expect((await get('0'.repeat(64))).status).toBe(404);
    await expectAlive(first);
    // The disk stays full until the ends of the running builds could not be stored.
    await expect.poll(() => server.lines.some((line) => line.includes('"state could not be used"')), { timeout: 30_000 }).toBe(true);
    await expectAlive(first);

    await free(join(dataDir, 'state'));
    const { body: second } = await build(['nano']);
    const others = await Promise.all(underWay.map(({ body }) => ended(body['request_hash'])));
    expect(others.map(({ status }) => status)).toEqual([200, 200]);
    for (const body of [first, second, ...others.map((other) => other.body)]) await expectAlive(body);
    await expectStored(first, second, ...others.map(({ body }) => body));
  });

  it('for everything at once loses no accepted build, even when the server is killed', async () => {
    const { fill, free, wrapper } = await start({ '.': 96 });
    const { body: first } = await build(['vim']);
    await fill(dataDir, 1_500_000);
    const requests = [['nano'], ['htop'], ['tmux']];
    const answers = await Promise.all(requests.map(post));
    await expect.poll(() => server.lines.some((line) => line.includes('full')), { timeout: 30_000 }).toBe(true);
    await fill(dataDir);
    answers.push(await post(['luci']));
    await expectAlive(first);
    await server.kill();
    await free(dataDir);
    server = await serverProcess(dataDir, upstream.url, ENV, wrapper);

    for (const { status, body } of answers) {
      expect([202, 503]).toContain(status);
      // There may have been no room for the reason either; then the runner counts as lost. Some tools say less than
      // that the disk is full: dash calls it an I/O error, and a package manager may miss the packages of a lost index.
      const end = status === 202 ? await ended(body['request_hash']) : { status, body };
      expect([200, 500, 503]).toContain(end.status);
      expect(end.body['detail']).toMatch(
        /^done$|disk is full|no disk space left|runner was lost|failed to read or write a file|has lost a package index/,
      );
    }
    const { body: second } = await build(['nano']);
    const { body: third } = await build(['luci']);
    for (const body of [first, second, third]) await expectAlive(body);
  });
});
