import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const biome = fileURLToPath(new URL('../../node_modules/.bin/biome', import.meta.url));

/** What the linter says of a file at `path` that imports `from`. */
const lint = (path: string, from: string): Promise<string> =>
  new Promise((resolve) => {
    const args = ['lint', '--only=style/noRestrictedImports', '--colors=off', `--stdin-file-path=${path}`];
    const child = execFile(biome, args, { cwd: root }, (_error, stdout, stderr) => resolve(stdout + stderr));
    child.stdin?.end(`import { x } from '${from}';\nx();\n`);
  });

const isRefused = async (path: string, from: string): Promise<boolean> => (await lint(path, from)).includes('noRestrictedImports');

/** The rooms of `core/`, from the top to the bottom: a room imports those below it. */
const ROOMS = ['statistics', 'build', 'imagebuilder', 'request', 'catalogue', 'package-changes'];

describe('imports within core/', () => {
  it.each(ROOMS.slice(1).map((room, below) => [room, ROOMS.slice(0, below + 1)] as const))(
    'core/%s imports none of %j',
    async (room, above) => {
      for (const other of above) expect([other, await isRefused(`core/${room}/x.ts`, `#core/${other}/y.ts`)]).toEqual([other, true]);
    },
  );

  it.each(ROOMS.slice(0, -1).map((room, at) => [room, ROOMS.slice(at + 1)] as const))('core/%s may import %j', async (room, below) => {
    for (const other of below) expect([other, await isRefused(`core/${room}/x.ts`, `#core/${other}/y.ts`)]).toEqual([other, false]);
  });

  it('no room is reached around the rule by a relative path', async () => {
    expect(await isRefused('core/catalogue/x.ts', '../build/y.ts')).toBe(true);
  });
});

describe('imports that `npm run check` refuses', () => {
  it.each([
    ['lib/x.ts', '#core/errors.ts'],
    ['core/stores.ts', '#core/build/build.ts'],
    ['core/build/x.ts', 'node:fs'],
    ['core/build/x.ts', '@aws-sdk/client-s3'],
    ['core/build/x.ts', '#adapters/sqlite/y.ts'],
    ['core/build/x.ts', '#http/y.ts'],
    ['core/build/x.ts', '#observe/log.ts'],
    ['adapters/aws/builds/x.ts', '#adapters/sqlite/y.ts'],
    ['adapters/disk/x.ts', '#http/y.ts'],
    ['adapters/sqlite/x.ts', 'hono'],
    ['observe/x.ts', '#http/y.ts'],
    ['observe/x.ts', 'hono'],
    ['settings/x.ts', '#http/y.ts'],
    ['http/x.ts', '#adapters/disk/y.ts'],
    ['http/x.ts', '#functions/status/app.ts'],
    ['functions/status/app.ts', '#adapters/aws/y.ts'],
    ['functions/status/app.ts', '../store/app.ts'],
    ['functions/status/app.ts', 'node:fs/promises'],
    ['functions/status/handler.ts', '#standalone/y.ts'],
    ['runner/imagebuilder/tree/x.ts', 'node:fs/promises'],
    ['runner/imagebuilder/tree/x.ts', '#http/y.ts'],
    ['runner/files/x.ts', '#standalone/y.ts'],
    ['runner/run-runner.ts', '#standalone/y.ts'],
    ['services/x.ts', '#test/support/y.ts'],
  ])('%s importing %s', async (path, from) => {
    expect(await isRefused(path, from)).toBe(true);
  });

  it.each([
    ['core/build/x.ts', 'node:crypto'],
    ['core/build/x.ts', '#lib/y.ts'],
    ['adapters/aws/builds/x.ts', '#adapters/aws/clients/y.ts'],
    ['http/x.ts', '#observe/log.ts'],
    ['runner/files/x.ts', 'node:fs/promises'],
    ['functions/status/handler.ts', '#adapters/aws/builds/y.ts'],
  ])('and not %s importing %s', async (path, from) => {
    expect(await isRefused(path, from)).toBe(false);
  });
});
