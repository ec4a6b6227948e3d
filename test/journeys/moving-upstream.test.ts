import { setTimeout as delay } from 'node:timers/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { UpstreamChangedFailure } from '#core/imagebuilder/upstream-changed-failure.ts';
import { demoUpstreamKey, usignSignature } from '#demo/upstream/key.ts';
import { downloadAll, type Finished } from '#test/support/download.ts';
import { generatedFile, publishAgain, publishTargetAgain } from '#test/support/publish-again.ts';
import { scriptedImageMaker } from '#test/support/scripted-image-maker.ts';
import { startTestServer, type TestServer } from '#test/support/test-server.ts';

const PATH = 'releases/24.10.2';
const X86 = { version: '24.10.2', target: 'x86/64', profile: 'generic', filesystem: 'squashfs' };

let server: TestServer;
beforeEach(async () => {
  server = await startTestServer({ realImages: { downloadAttempts: 1 }, env: { REBUILD_PAUSE: '2' } });
});
afterEach(() => server.close());

/** Publishes an index without a package, with its signature. */
async function publishWithout(directory: string, name: string): Promise<void> {
  const { packages, ...facts } = JSON.parse((await generatedFile(`${directory}/index.json`)).toString());
  const { [name]: _, ...others } = packages;
  server.upstream.overlay(`${directory}/index.json`, JSON.stringify({ ...facts, packages: others }));
  const text = gunzipSync(await generatedFile(`${directory}/Packages.gz`)).toString();
  const rest = `${text
    .split('\n\n')
    .filter((paragraph) => !paragraph.startsWith(`Package: ${name}\n`) && paragraph !== '')
    .join('\n\n')}\n\n`;
  server.upstream.overlay(`${directory}/Packages`, rest);
  server.upstream.overlay(`${directory}/Packages.gz`, gzipSync(rest));
  server.upstream.overlay(`${directory}/Packages.sig`, usignSignature(Buffer.from(rest), demoUpstreamKey));
}

/** Publishes the feed `packages` with another version of a package. */
async function publishVersion(name: string, version: string): Promise<void> {
  const directory = `${PATH}/packages/x86_64/packages`;
  const { packages, ...facts } = JSON.parse((await generatedFile(`${directory}/index.json`)).toString());
  server.upstream.overlay(`${directory}/index.json`, JSON.stringify({ ...facts, packages: { ...packages, [name]: version } }));
  const text = gunzipSync(await generatedFile(`${directory}/Packages.gz`)).toString();
  const changed = text.replace(new RegExp(`(^Package: ${name}\\nVersion: ).*`, 'm'), `$1${version}`);
  expect(changed).not.toBe(text);
  server.upstream.overlay(`${directory}/Packages.gz`, gzipSync(changed));
}

it('a version that a feed no longer has is refused at once, with the version that it has', async () => {
  await publishVersion('test1', '1.1-r1');
  const refused = await server.post('/api/v1/build', { ...X86, packages_versions: { test1: '1.0-r1' } });
  expect(refused.status).toBe(422);
  expect(await refused.json()).toMatchObject({
    detail: 'Error: Impossible package selection: test1 version not as requested: 1.0-r1 vs. 1.1-r1',
    errors: [{ code: 'version_mismatch', packages: ['test1'], required: '1.0-r1', found: '1.1-r1' }],
  });
  const prepared = await server.post('/api/v1/build/prepare', { ...X86, packages_versions: { test1: '1.0-r1' } });
  expect(await prepared.json()).toMatchObject({ outdated: [{ name: 'test1', required: '1.0-r1', found: '1.1-r1' }] });
  expect(await (await server.get('/api/v1/stats')).json()).toMatchObject({ queue_length: 0 });
});

it('a version that a feed published a moment after the server read it is not refused', async () => {
  await server.get('/api/v1/revision/24.10.2/x86/64');
  await publishVersion('test1', '1.1-r1');
  await delay(2100);
  const accepted = await server.post('/api/v1/build', { ...X86, packages_versions: { test1: '1.1-r1' } });
  expect(accepted.status).toBe(202);
});

it('packages of the target that change under a build: the client that waits as it is asked to gets its image the second time', async () => {
  await server.get('/api/v1/revision/24.10.2/x86/64');
  await publishTargetAgain(server.upstream, `${PATH}/targets/x86/64`);
  const first = await server.build({ ...X86, packages: ['vim'] });
  expect([first.status, first.body['detail']]).toEqual([500, expect.stringContaining('Ask again')]);

  await delay(Number(first.headers.get('Retry-After')) * 1000);
  const second = await server.build({ ...X86, packages: ['vim'] });
  expect([second.status, second.body['detail']]).toEqual([200, 'done']);
  expect(second.body['request_hash']).not.toBe(first.body['request_hash']);
  await downloadAll(server.url, second.body as unknown as Finished);
});

it('a feed that loses a package under a build: the client that asks again learns at once that there is none', async () => {
  await server.get('/api/v1/revision/24.10.2/x86/64');
  await publishWithout(`${PATH}/packages/x86_64/packages`, 'vim');
  const first = await server.build({ ...X86, packages: ['vim'] });
  expect([first.status, first.body['detail']]).toEqual([500, expect.stringContaining('package feeds have changed')]);
  expect(Number(first.headers.get('Retry-After'))).toBeGreaterThan(0);
  const second = await server.post('/api/v1/build', { ...X86, packages: ['vim'] });
  expect(second.status).toBe(422);
});

it('a feed that is newer than the request: its image says so, and the next request is about the newer one', async () => {
  await server.get('/api/v1/revision/24.10.2/x86/64');
  await publishAgain(server.upstream, `${PATH}/packages/x86_64/packages`);
  const first = await server.build({ ...X86, packages: ['vim'] });
  expect(first.status).toBe(200);
  expect(first.body['warnings']).toEqual([{ code: 'feeds_changed', severity: 'note', detail: expect.stringContaining('x86_64/packages') }]);
  const second = await server.build({ ...X86, packages: ['vim'] });
  expect(second.status).toBe(200);
  expect(second.body['request_hash']).not.toBe(first.body['request_hash']);
  expect(second.body).not.toHaveProperty('warnings');
});

it('a target that a build found changed: other requests for it do not have to fail first', async () => {
  const index = `${PATH}/targets/x86/64/packages/Packages.gz`;
  let published: string | undefined;
  const imageMaker = scriptedImageMaker({
    act: ({ indexes }) => {
      published ??= indexes?.[index];
      if (indexes?.[index] === published) throw new UpstreamChangedFailure('Ask again');
    },
  });
  const scripted = await startTestServer({ imageMaker });
  try {
    await scripted.get('/api/v1/revision/24.10.2/x86/64');
    await publishTargetAgain(scripted.upstream, `${PATH}/targets/x86/64`);
    expect((await scripted.build({ ...X86, packages: ['vim'] })).status).toBe(500);
    expect((await scripted.build({ ...X86, packages: ['tmux'] })).status).toBe(200);
    expect((await scripted.build({ ...X86, packages: ['vim'] })).status).toBe(200);
  } finally {
    await scripted.close();
  }
});
