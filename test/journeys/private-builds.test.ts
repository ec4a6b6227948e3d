import { execFile } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { openSqlite } from '#adapters/sqlite/open-sqlite.ts';
import type { BuildOrder } from '#core/build/build-order.ts';
import { StorageFullError } from '#core/errors.ts';
import { BuildFailure, InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import { loadConfig } from '#standalone/config.ts';
import { scriptedImageMaker } from '#test/support/scripted-image-maker.ts';
import { startTestServer, type TestServer } from '#test/support/test-server.ts';

/** A request with `defaults` is private: only a client that has its hash may read about it, whatever becomes of it. */
const X86 = { version: '24.10.2', target: 'x86/64', profile: 'generic', filesystem: 'squashfs' };
const DEFAULTS = 'uci set wireless.key=hunter2-c0ffee';
const ENV = { ALLOW_DEFAULTS: '1', REFUSE_IMPOSSIBLE: 'warn', RETRY_DELAYS: '1', LOG_LEVEL: 'debug', SWEEP_EVERY: '1' };

/** Milliseconds; generous, because other tests share the machine. */
const PATIENCE = { timeout: 20_000 };

let server: TestServer;
afterEach(() => server.close());

const messages = () => server.lines.map((line) => JSON.parse(line).message as string);
const page = async (path: string) => {
  const response = await server.get(path);
  expect([path, response.status]).toEqual([path, 200]);
  return response.text();
};

/** Everything that the server shows to clients without the hash. */
async function published(): Promise<string> {
  const figures = ['/api/v1/stats', '/api/v1/stats/summary', '/api/v1/builds-per-day', '/api/v1/builds-by-version'];
  const pages = ['/metrics', '/ready', '/', '/stats', '/api/v1/top-packages', '/api/v1/build-errors', ...figures];
  return [...server.lines, ...(await Promise.all(pages.map(page)))].join('\n');
}

async function expectSilence(secrets: readonly string[]) {
  const text = await published();
  const telling = text.split('\n').filter((line) => secrets.some((secret) => line.includes(secret)));
  expect(telling.slice(0, 3)).toEqual([]);
  // Every hash and every directory here belongs to a private build.
  expect(server.lines.filter((line) => /[0-9a-f]{64}/.test(line)).slice(0, 3)).toEqual([]);
}

/** The names in a request, and the names that lead to its files. */
const secretsOf = ({ request_hash: hash, bin_dir: binDir }: Record<string, unknown>, ...more: string[]) => [
  ...['hunter2-c0ffee', ...more],
  ...[hash, binDir].filter((one) => typeof one === 'string'),
];

describe('a private build that fails publishes nothing', () => {
  it('on the real ImageBuilder, because of its packages', async () => {
    server = await startTestServer({ realImages: {}, env: ENV });
    const request = { ...X86, packages: ['foe-a', 'foe-b'], defaults: DEFAULTS };
    const { status, body } = await server.build(request);
    expect([status, body['detail']]).toEqual([500, expect.stringContaining('foe-')]);
    await expect.poll(messages, PATIENCE).toContain('build failed');
    await server.build(request);
    await expectSilence(secretsOf(body, 'foe-a', 'foe-b'));
  });

  it('on the real ImageBuilder, because of a missing repository', async () => {
    server = await startTestServer({ realImages: { downloadAttempts: 1 }, env: ENV });
    const env = { ...ENV, ASU_DATA_DIR: server.dataDir, UPSTREAM_URL: server.upstream.url };
    server.reconfigure(loadConfig({}, { ...env, REPOSITORY_ALLOW_LIST: `${server.upstream.url}/custom` }));
    const repositories = { secretfeed: `${server.upstream.url}/custom/secret-path` };
    const { status, body } = await server.build({ ...X86, packages: ['secret-package'], repositories, defaults: DEFAULTS });
    expect([status, body['detail']]).toEqual([500, expect.stringMatching(/secret-/)]);
    await expect.poll(messages, PATIENCE).toContain('build failed');
    await expectSilence(secretsOf(body, 'secretfeed', 'secret-path', 'secret-package'));
  });

  const named = (order: BuildOrder) => `no room for ${order.request.packages.join(' ')} in ${order.requestHash}`;
  const run = promisify(execFile);
  it.each<[string, number, (order: BuildOrder) => Promise<void> | void]>([
    [
      'its own fault',
      1,
      (order) => {
        throw new BuildFailure(named(order), {
          stderr: named(order),
          errors: [{ code: 'package_missing', packages: order.request.packages }],
        });
      },
    ],
    [
      'want of infrastructure',
      3,
      (order) => {
        throw new InfrastructureFailure(named(order));
      },
    ],
    [
      'a full disk',
      3,
      (order) => {
        throw new StorageFullError(named(order));
      },
    ],
    [
      'a bug',
      3,
      (order) => {
        throw new TypeError(named(order), { cause: new Error(`the cause is ${named(order)}`) });
      },
    ],
    [
      'a command that cannot be run',
      3,
      async (order) => {
        await run('/nowhere/make', ['image', `PACKAGES=${order.request.packages.join(' ')}`]);
      },
    ],
  ])('for %s', async (_, attempts, act) => {
    let hash = '';
    const imageMaker = scriptedImageMaker({
      act: (order) => {
        hash = order.requestHash;
        return act(order);
      },
    });
    server = await startTestServer({ imageMaker, env: ENV });
    const request = { ...X86, packages: ['vim', 'tmux'], defaults: DEFAULTS };
    const { status, body } = await server.build(request);
    expect(status).toBe(500);
    await expect.poll(() => messages().filter((message) => message === 'build failed'), PATIENCE).toHaveLength(1);
    expect(imageMaker.begun).toHaveLength(attempts);
    await server.get(`/api/v1/build/${hash}`);
    await server.get(`/store/${hash}/image.bin`);
    await expectSilence(secretsOf(body, hash, 'vim', 'tmux'));
    // Dead letters outlive the build, and operators read them.
    const db = openSqlite(`${server.dataDir}/asu.db`);
    const letters = JSON.stringify(db.prepare('SELECT reason FROM dead_letters').all());
    db.close();
    for (const secret of ['vim', 'tmux']) expect(letters).not.toContain(secret);
  });

  it('but the log says how it failed, so that an operator can find the reason', async () => {
    server = await startTestServer({
      imageMaker: scriptedImageMaker({
        act: (order) => {
          throw new TypeError(`of ${order.request.packages}`);
        },
      }),
      env: { ...ENV, RETRY_DELAYS: '1' },
    });
    await server.build({ ...X86, packages: ['vim'], defaults: DEFAULTS });
    await expect.poll(messages, PATIENCE).toContain('build failed');
    const lines = server.lines.map((line) => JSON.parse(line));
    const shown = { name: 'TypeError', stack: expect.stringContaining('private-builds.test.ts') };
    expect(lines.find(({ message }) => message === 'build returned to the queue')).toMatchObject({ error: shown, delay_s: 1 });
    expect(lines.find(({ message }) => message === 'build failed')).toMatchObject({ error: shown, cached: false });
  });
});

describe('a private build publishes nothing', () => {
  it('when it succeeds', async () => {
    server = await startTestServer({ env: ENV });
    const { status, body } = await server.build({ ...X86, packages: ['vim', 'tmux'], defaults: DEFAULTS });
    expect(status).toBe(200);
    const [{ name }] = body['images'] as [{ name: string }];
    expect((await server.get(`/store/${body['bin_dir']}/${name}`)).status).toBe(200);
    expect((await server.get(`/store/${body['request_hash']}/${name}`)).status).toBe(302);
    for (const directory of [body['bin_dir'], body['request_hash']]) expect((await server.get(`/store/${directory}/`)).status).toBe(404);
    await expect.poll(messages, PATIENCE).toContain('build done');
    await expectSilence(secretsOf(body, 'vim', 'tmux'));
  });

  it('when its images cannot be stored', async () => {
    server = await startTestServer({ env: ENV });
    const store = join(server.dataDir, 'public', 'store');
    await rm(store, { recursive: true, force: true });
    await writeFile(store, 'no directory');
    const { status, body } = await server.build({ ...X86, packages: ['vim', 'tmux'], defaults: DEFAULTS });
    expect(status).toBe(500);
    await expect.poll(messages, PATIENCE).toContain('build failed');
    await expectSilence(secretsOf(body, 'vim', 'tmux'));
  });
});
