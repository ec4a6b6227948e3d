import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openSqlite } from '#adapters/sqlite/open-sqlite.ts';
import { sqliteQueuePositions } from '#adapters/sqlite/queue-positions.ts';
import { sqliteStatistics } from '#adapters/sqlite/statistics.ts';
import { BuildFailure } from '#core/imagebuilder/build-output.ts';
import { requestsOf, sumOf } from '#core/statistics/counts.ts';
import { scriptedImageMaker } from '#test/support/scripted-image-maker.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { startTestServer } from '#test/support/test-server.ts';

const X86 = { version: '24.10.2', target: 'x86/64', profile: 'generic' };

/** The counts in the database file, read beside a running server or after it has closed. */
async function books(dataDir: string) {
  const db = openSqlite(join(dataDir, 'asu.db'));
  const statistics = sqliteStatistics(db);
  const positions = sqliteQueuePositions(db);
  const sums = sumOf(await statistics.figures('day', new Date(0), new Date('2100-01-01')));
  const inFlight = (await positions.waiting()) + (await positions.running());
  const top = (kind: 'client' | 'package') => statistics.top(kind, new Date('2000-01-01'), new Date('2100-01-01'), { limit: 10 });
  const [subject] = await statistics.subjects(new Date('2000-01-01'), new Date('2100-01-01'), 10);
  const answer = {
    sums,
    subject,
    inFlight,
    clients: await top('client'),
    packages: await top('package'),
    errors: await statistics.errors(10),
  };
  db.close();
  return answer;
}

it('counts every request that passed the schema, and every build once (I7), over a restart', async () => {
  const dataDir = await temporaryDirectory();
  const env = { ASU_DATA_DIR: dataDir, ALLOW_DEFAULTS: '1', WORKER_CONCURRENT: '2' };
  const failing = scriptedImageMaker({
    act: ({ request, requestHash }) => {
      if (request.packages.includes('tmux')) throw new BuildFailure(`no room for ${requestHash}`, {});
    },
  });
  const first = await startTestServer({ env, imageMaker: failing });
  const post = (server: typeof first, body: object, headers = {}) => server.post('/api/v1/build', { ...X86, ...body }, headers);

  // One new build, and nineteen requests that join it or find it finished.
  await Promise.all(Array.from({ length: 20 }, () => post(first, { packages: ['vim'], client: 'owut/2026.04' })));
  await first.build({ ...X86, packages: ['vim'] });
  await first.build({ ...X86, packages: ['tmux'] });
  await first.build({ ...X86, packages: ['tmux'], defaults: 'echo private' });
  await first.build({ ...X86, packages: ['luci'], defaults: 'echo private' });
  const refused = [{ target: 'no/such' }, { version: '1.2.3' }, { packages: ['no-such-package'] }, { version_code: 'r1-abcdef' }];
  for (const body of refused) expect((await post(first, body, { 'User-Agent': 'auc (0.3.2)' })).status).toBeGreaterThanOrEqual(400);
  // These requests failed before they could be counted.
  expect((await first.post('/api/v1/build', { target: 'x' })).status).toBe(422);
  expect((await first.post('/api/v1/build', 'no json')).status).toBe(422);
  await first.post('/api/v1/build/prepare', { ...X86, packages: ['vim'] });
  await first.close();

  const before = await books(dataDir);
  expect(before.inFlight).toBe(0);
  // Per version, target and profile: accepted requests, cached answers and failures.
  const { hits, joined, misses, failures } = before.sums;
  expect(before.subject).toEqual({ ...X86, requests: hits + joined + misses, hits, failures });
  expect(before.sums).toMatchObject({ misses: 4, successes: 2, failures: 2, cancelled: 0, rejected: 4 });
  expect(before.sums.hits + before.sums.joined).toBe(20);
  expect(requestsOf(before.sums)).toBe(28);
  expect(before.clients).toEqual([
    { name: 'owut/2026.04', count: 20 },
    { name: 'other/0', count: 4 },
    { name: 'unknown/0', count: 4 },
  ]);
  expect(before.packages).toEqual([{ name: 'vim', count: 1 }]);
  expect(before.errors).toMatchObject([{ version: '24.10.2', target: 'x86/64', message: 'Error: no room for [job-id]' }]);

  const second = await startTestServer({ env });
  expect(await (await second.get('/api/v1/stats/summary')).json()).toEqual({ queue_length: 0, builds_24h: 2 });
  expect(await (await second.get('/api/v1/build-errors')).text()).toMatch(
    /^Build Errors: 1 entries\n.*\n\nRecent errors:\n-{60}\n.*Error: no room for \[job-id\]$/,
  );
  await second.close();
});

it('keeps counting right when the server stops during builds', async () => {
  const dataDir = await temporaryDirectory();
  const env = { ASU_DATA_DIR: dataDir };
  const endless = scriptedImageMaker({
    act: (_, signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('stopped')))),
  });
  const first = await startTestServer({ env, imageMaker: endless });
  for (const name of ['vim', 'luci']) await first.post('/api/v1/build', { ...X86, packages: [name] });
  await first.close();
  const between = await books(dataDir);
  expect(between.sums).toMatchObject({ misses: 2, successes: 0, failures: 0 });
  expect(between.inFlight).toBe(2);

  const second = await startTestServer({ env });
  for (const name of ['vim', 'luci']) expect((await second.build({ ...X86, packages: [name] })).status).toBe(200);
  await second.close();
  const after = await books(dataDir);
  expect(after.sums).toMatchObject({ misses: 2, successes: 2, failures: 0, cancelled: 0 });
  expect(after.inFlight).toBe(0);
});

it('serves pages and figures while the server runs', async () => {
  const server = await startTestServer();
  onTestFinished(() => server.close());
  await server.build({ ...X86, packages: ['vim'] });
  for (const path of [
    '/',
    '/stats',
    '/api/v1/builds-per-day',
    '/api/v1/builds-by-version',
    '/api/v1/top-packages',
    '/api/v1/build-errors',
  ]) {
    const response = await server.get(path);
    expect(response.status).toBe(200);
    expect(response.headers.get('Access-Control-Allow-Origin')).toBe('*');
    const head = await server.get(path, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect(head.headers.get('Content-Type')).toBe(response.headers.get('Content-Type'));
  }
  expect(await (await server.get('/')).text()).toContain('<th scope="row">24.10</th>');
  await expect
    .poll(async () => ((await (await server.get('/api/v1/stats/summary')).json()) as { builds_24h: number }).builds_24h, {
      timeout: 15_000,
    })
    .toBe(1);
});
