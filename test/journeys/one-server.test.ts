import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DemoUpstreamServer, serveDemoUpstream } from '#demo/upstream/serve.ts';
import { type ServerProcess, serverProcess } from '#test/support/server-process.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';

let directory: string;
let upstream: DemoUpstreamServer;
let first: ServerProcess;
beforeAll(async () => {
  directory = await temporaryDirectory();
  upstream = await serveDemoUpstream();
  first = await serverProcess(join(directory, 'data'), upstream.url);
});
afterAll(async () => {
  await first.kill();
  await upstream.close();
});

it('a second server that shares anything with the first refuses to start, names it, and the first goes on', async () => {
  const [data, linked] = [join(directory, 'data'), join(directory, 'linked.db')];
  await symlink(join(data, 'asu.db'), linked);
  const refused = (name: string, env: Record<string, string>) =>
    serverProcess(join(directory, name), upstream.url, env).then(
      async (server) => {
        await server.kill();
        return 'it started';
      },
      (error: Error) => error.message,
    );
  const second = await Promise.all([
    refused('data', {}),
    refused('other-1', { ASU_DATABASE_PATH: join(data, 'asu.db') }),
    refused('other-2', { ASU_DATABASE_PATH: linked }),
    refused('other-3', { PUBLIC_PATH: join(data, 'public') }),
  ]);
  expect(second).toEqual(
    [
      [data, 'ASU_DATA_DIR'],
      [join(data, 'asu.db'), 'ASU_DATABASE_PATH'],
      [linked, 'ASU_DATABASE_PATH'],
      [join(data, 'public'), 'PUBLIC_PATH'],
    ].map(([path, setting]) =>
      expect.stringContaining(`another server is using ${path}: stop it, or choose another place with ${setting}\n`),
    ),
  );
  expect((await fetch(`${first.url}/health`)).status).toBe(200);
  expect((await fetch(`${first.url}/store/~lock`)).status).toBe(404);
});

it('everything a killed server held is free at once', async () => {
  const shared = { ASU_DATABASE_PATH: join(directory, 'elsewhere/builds.db'), PUBLIC_PATH: join(directory, 'images') };
  const before = await serverProcess(join(directory, 'one'), upstream.url, shared);
  await before.kill();
  const after = await serverProcess(join(directory, 'two'), upstream.url, shared);
  expect(await after.stop()).toBe(0);
});
