import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { bundleStandalone } from '../../bundles/bundle-standalone.ts';
import manifest from '../../package.json' with { type: 'json' };

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

describe('on a Node that is too old', () => {
  let directory: string;
  let olderNode: string;
  beforeAll(async () => {
    directory = await temporaryDirectory();
    olderNode = join(directory, 'older-node.cjs');
    await writeFile(
      olderNode,
      `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } });
       Object.defineProperty(process, 'version', { value: 'v20.20.2' });`,
    );
  });

  const run = (...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
    promisify(execFile)(process.execPath, ['-r', olderNode, ...args], { cwd: ROOT }).then(
      (output) => ({ code: 0, ...output }),
      (failed) => failed,
    );

  it.each(['start', 'demo', 'doctor', 'config', 'service', 'services', 'pretest'] as const)(
    'npm run %s says in one line what is needed',
    async (script) => {
      const [command, ...args] = manifest.scripts[script].split(' ');
      expect(command).toBe('node');
      const { code, stdout, stderr } = await run(...args);
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr).toMatch(/^This needs Node\.js 24 or later, and this is v20\.20\.2\. .+\n$/);
    },
  );

  it('so does dist/asu.mjs, which links none of the modules that an older Node lacks', async () => {
    const file = join(directory, 'asu.mjs');
    await bundleStandalone(file);
    const { code, stdout, stderr } = await run(file, 'config');
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^This needs Node\.js 24 or later, and this is v20\.20\.2\. .+\n$/);
    const linked = new Set([...(await readFile(file, 'utf8')).matchAll(/\bfrom ?["'](node:[a-z/]+)["']/g)].map(([, name]) => name));
    expect([...linked]).toEqual(['node:module']);
  });
});
