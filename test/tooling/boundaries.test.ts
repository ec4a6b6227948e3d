import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';

/** The rooms of `core/`, from the top to the bottom: a room may import those below it. */
const ROOMS = ['statistics', 'build', 'imagebuilder', 'request', 'package-solver', 'catalogue', 'package-changes'] as const;

const upwards = ROOMS.flatMap((room, at) => ROOMS.slice(0, at).map((above) => [`core/${room}/x.ts`, `#core/${above}/y.ts`] as const));
const downwards = ROOMS.flatMap((room, at) => ROOMS.slice(at + 1).map((below) => [`core/${room}/x.ts`, `#core/${below}/y.ts`] as const));

const REFUSED = [
  ...upwards,
  ['core/catalogue/x.ts', '../build/y.ts'],
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
  ['functions/status/composition.ts', '#services/y.ts'],
  ['functions/build-state.ts', '#runner/y.ts'],
  ['runner/imagebuilder/x.ts', 'node:fs/promises'],
  ['runner/imagebuilder/x.ts', '#http/y.ts'],
  ['runner/files/x.ts', '#standalone/y.ts'],
  ['runner/start-runner.ts', '#standalone/y.ts'],
  ['services/x.ts', '#test/support/y.ts'],
] as const;

const ALLOWED = [
  ...downwards,
  ['core/build/x.ts', 'node:crypto'],
  ['core/build/x.ts', '#lib/y.ts'],
  ['core/build/x.ts', './z.ts'],
  ['adapters/aws/builds/x.ts', '#adapters/aws/clients/y.ts'],
  ['adapters/aws/builds/x.ts', '#core/build/build.ts'],
  ['http/x.ts', '#observe/log.ts'],
  ['functions/status/app.ts', '#http/y.ts'],
  ['functions/status/composition.ts', '#adapters/aws/builds/y.ts'],
  ['functions/status/handler.ts', '#adapters/aws/builds/y.ts'],
  ['runner/files/x.ts', 'node:fs/promises'],
  ['runner/imagebuilder/x.ts', '#runner/files/y.ts'],
] as const;

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Which imports the project's linter refuses, as `<file> <import>`: files with all of them are linted in a directory of their own. */
async function refusedImports(imports: readonly (readonly [path: string, from: string])[]): Promise<ReadonlySet<string>> {
  const directory = await temporaryDirectory();
  const { overrides, linter } = JSON.parse(await readFile(join(root, 'biome.json'), 'utf8'));
  await writeFile(join(directory, 'biome.json'), JSON.stringify({ linter, overrides }));
  const files = Map.groupBy(imports, ([path]) => path);
  for (const [path, ofFile] of files) {
    await mkdir(join(directory, dirname(path)), { recursive: true });
    await writeFile(join(directory, path), ofFile.map(([, from], at) => `import { x${at} } from '${from}';\n`).join(''));
  }
  const args = ['lint', '--only=style/noRestrictedImports', '--max-diagnostics=none', '--reporter=github', '.'];
  const output = await new Promise<string>((resolve) => {
    execFile(join(root, 'node_modules/.bin/biome'), args, { cwd: directory }, (_error, stdout, stderr) => resolve(stdout + stderr));
  });
  const found = output.matchAll(/title=lint\/style\/noRestrictedImports,file=([^,]+),line=(\d+)/g);
  return new Set(
    [...found].map(([, file = '', line]) => {
      const path = relative(directory, file);
      return `${path} ${files.get(path)?.[Number(line) - 1]?.[1]}`;
    }),
  );
}

let refused: ReadonlySet<string>;
beforeAll(async () => {
  refused = await refusedImports([...REFUSED, ...ALLOWED]);
});

describe('npm run check', () => {
  it.each(REFUSED)('refuses %s importing %s', (path, from) => {
    expect(refused).toContain(`${path} ${from}`);
  });

  it.each(ALLOWED)('takes %s importing %s', (path, from) => {
    expect(refused).not.toContain(`${path} ${from}`);
  });
});
