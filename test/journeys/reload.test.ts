import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { type DemoUpstreamServer, serveDemoUpstream } from '#demo/upstream/serve.ts';
import { downloadAll, type Finished } from '#test/support/download.ts';
import { type ServerProcess, serverProcess } from '#test/support/server-process.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';

/** A build whose last step takes five seconds, so that settings change meanwhile. */
const SLOW = { version: '24.10.2', target: 'ath79/generic', profile: 'test', packages: ['slow-install', 'vim'] };

let upstream: DemoUpstreamServer;
let directory: string;
let file: string;
let server: ServerProcess | undefined;
beforeAll(async () => {
  upstream = await serveDemoUpstream();
});
afterAll(() => upstream.close());
beforeEach(async () => {
  directory = await temporaryDirectory();
  file = join(directory, 'asu.toml');
});
afterEach(() => server?.kill());

/** A server that reads `asu.toml`; the environment has only the settings that every test needs. */
async function start(toml: string, env: Record<string, string> = {}) {
  await writeFile(file, toml);
  server = await serverProcess(join(directory, 'data'), upstream.url, { ASU_CONFIG: file, LOG_LEVEL: '', ...env });
  return server;
}

const entries = (running: ServerProcess): Record<string, unknown>[] => running.lines.map((line) => JSON.parse(line));

/** Writes the file, sends SIGHUP, and waits until the log has one more line about it. */
async function reload(running: ServerProcess, toml: string) {
  const told = () => entries(running).filter(({ message }) => /^settings (reloaded|not reloaded)/.test(String(message)));
  const before = told().length;
  await writeFile(file, toml);
  process.kill(running.pid, 'SIGHUP');
  while (told().length === before) await delay(10);
  return told().at(-1);
}

const post = (running: ServerProcess, body: object) =>
  fetch(`${running.url}/api/v1/build`, { method: 'POST', body: JSON.stringify({ ...SLOW, ...body }) });

it('SIGHUP puts new limits into force and drops no build in progress', async () => {
  const running = await start('max_defaults_length = 5\nallow_defaults = true\nlog_level = "debug"\n', { WORKER_CONCURRENT: '1' });
  const accepted = await post(running, {});
  expect(accepted.status).toBe(202);
  const { request_hash: hash } = (await accepted.json()) as { request_hash: string };
  while (!running.lines.some((line) => line.includes('"building_image"'))) await delay(5);
  expect((await post(running, { defaults: '123456' })).status).toBe(422);

  const told = await reload(
    running,
    'max_defaults_length = 6\nmax_custom_rootfs_size_mb = 64\nmax_pending_jobs = 0\nallow_defaults = true\ncontact = "me"\nlog_level = "info"\nport = 1\n' +
      '[branches.SNAPSHOT]\npath = "snapshots"\n[branches."24.10"]\npath = "releases/{version}"\n',
  );
  expect(told).toMatchObject({
    level: 'info',
    message: 'settings reloaded',
    file,
    changed: ['MAX_CUSTOM_ROOTFS_SIZE_MB', 'MAX_DEFAULTS_LENGTH', 'MAX_PENDING_JOBS', 'BRANCHES', 'CONTACT', 'LOG_LEVEL'],
  });
  expect((await post(running, { defaults: '1234567' })).status).toBe(422);
  expect((await post(running, { rootfs_size_mb: 65 })).status).toBe(422);
  // The first build is already taken, so one more may wait, and a third is refused.
  expect((await post(running, { defaults: '123456' })).status).toBe(202);
  expect((await post(running, { packages: ['tmux'] })).status).toBe(429);
  expect((await post(running, { version: '23.05.5' })).status).toBe(400);

  let answer = await fetch(`${running.url}/api/v1/build/${hash}`);
  while (answer.status === 202) {
    await delay(100);
    answer = await fetch(`${running.url}/api/v1/build/${hash}`);
  }
  expect(answer.status).toBe(200);
  await downloadAll(running.url, (await answer.json()) as Finished);
  const turns = entries(running).filter(({ message, request_hash }) => request_hash === hash && String(message).startsWith('build '));
  expect(turns.map(({ message }) => message).filter((message) => /started|done|handed|returned|lost/.test(String(message)))).toEqual([
    'build started',
    'build done',
  ]);
  expect(await (await fetch(`${running.url}/json/v1/overview.json`)).json()).toMatchObject({
    server: { contact: 'me', max_defaults_length: 6, max_custom_rootfs_size_mb: 64 },
  });
});

it('the log level changes, and settings that need a restart are named', async () => {
  const running = await start('log_level = "info"\n', { PORT: '', ASU_PORT: '0' });
  const debugLines = () => entries(running).filter(({ level }) => level === 'debug').length;
  await fetch(`${running.url}/health`);
  expect(debugLines()).toBe(0);
  const told = await reload(running, 'log_level = "debug"\nworker_concurrent = 3\nlease = "2m"\nport = 1\nallow_default = true\n');
  expect(told).toMatchObject({ changed: ['LOG_LEVEL'] });
  const build = await post(running, { packages: ['vim'] });
  expect(build.status).toBe(202);
  while (debugLines() === 0) await delay(10);
  const warned = entries(running).filter(({ level }) => level === 'warn');
  // The environment sets the port, so the file cannot change it.
  expect(warned).toContainEqual(
    expect.objectContaining({ message: 'settings changed that need a restart', settings: ['WORKER_CONCURRENT', 'LEASE'] }),
  );
  expect(warned).toContainEqual(
    expect.objectContaining({
      message: 'setting has no effect',
      warning: `allow_default (${file}:5): is no setting; is allow_defaults meant?`,
    }),
  );
});

it('settings that cannot be used change nothing, and the log says why', async () => {
  const running = await start('max_defaults_length = 5\nallow_defaults = true\n');
  for (const [toml, reason] of [
    ['max_defaults_length = "long"\ncontact = "you"\n', `max_defaults_length=long (${file}:1): expected a whole number`],
    ['max_defaults_length = \n', `${file}:1: Invalid TOML document: invalid value`],
    ['redis_url = "redis://localhost"\n', expect.stringMatching(/^redis_url=.*cannot be honoured/)],
  ])
    expect(await reload(running, String(toml))).toMatchObject({
      level: 'error',
      message: 'settings not reloaded: the old ones stay in force',
      reasons: [reason],
    });
  expect((await post(running, { defaults: '123456' })).status).toBe(422);
  expect((await post(running, { defaults: '12345' })).status).toBe(202);
  await rm(file);
  process.kill(running.pid, 'SIGHUP');
  while (!running.lines.some((line) => line.includes('there is no such file'))) await delay(10);
  expect((await fetch(`${running.url}/health`)).status).toBe(200);
});

it('a sandbox too weak for custom repositories refuses them after a reload too', async () => {
  const running = await start('', { SANDBOX: 'plain' });
  const repositories = { mine: 'https://feeds.example/x/y' };
  expect(await reload(running, 'repository_allow_list = ["https://feeds.example/x/"]\n')).toMatchObject({
    changed: ['REPOSITORY_ALLOW_LIST'],
  });
  expect(running.lines.some((line) => line.includes('custom repositories refused'))).toBe(true);
  const refused = await post(running, { repositories });
  expect([refused.status, ((await refused.json()) as { detail: string }).detail]).toEqual([
    400,
    'Repository not allowed: https://feeds.example/x/y',
  ]);
});

it('where the sandbox is strong enough, the allow list changes', async () => {
  const running = await start('');
  const ready = entries(running).find(({ message }) => message === 'runner ready');
  const isStrong = ready?.['sandbox'] === 'bwrap' || ready?.['sandbox'] === 'unshare';
  const repositories = { mine: 'https://feeds.example/x/y' };
  expect((await post(running, { repositories })).status).toBe(400);
  await reload(running, 'repository_allow_list = ["https://feeds.example/x/"]\n');
  expect((await post(running, { repositories })).status).toBe(isStrong ? 202 : 400);
});
