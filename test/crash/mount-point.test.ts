import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { smallDisks } from '#test/support/small-disks.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';

it('a file system mounted inside a tree is not emptied with it: the rest goes, the tree is set aside and logged', async () => {
  const directory = await temporaryDirectory();
  const tree = join(directory, 'builds', 'build.1.abcdef01');
  const mounted = join(tree, 'deep', 'mounted');
  await mkdir(join(tree, 'other'), { recursive: true });
  const disks = await smallDisks({ [mounted]: 1 });
  try {
    await writeFile(disks.reach(join(mounted, 'kept')), 'kept');
    const script = `
      import { disposal } from ${JSON.stringify(new URL('../../runner/files/disposal.ts', import.meta.url).href)};
      const [tree, quarantine] = process.argv.slice(1);
      await disposal({ quarantine, onLeftover: (leftover) => console.log(JSON.stringify(leftover)) }).remove(tree);`;
    const node = [process.execPath, '--input-type=module-typescript', '--eval', script, tree, join(directory, 'quarantine')];
    const [file = '', ...args] = [...disks.wrapper, ...node];
    const { stdout } = await promisify(execFile)(file, args);
    const leftover = JSON.parse(stdout) as { path: string; reason: string; keptAt: string };
    expect(leftover.path).toBe(tree);
    expect(leftover.reason).toContain('EBUSY');
    expect(leftover.keptAt.startsWith(join(directory, 'quarantine'))).toBe(true);
    expect(await readdir(disks.reach(leftover.keptAt))).not.toContain('other');
    const [entry] = (await readdir(disks.reach(leftover.keptAt), { recursive: true })).filter((name) => name.endsWith('kept'));
    expect(await readFile(disks.reach(join(leftover.keptAt, entry ?? '')), 'utf8')).toBe('kept');
    await promisify(execFile)('umount', [disks.reach(join(leftover.keptAt, entry ?? '', '..'))]).catch(() => undefined);
  } finally {
    await disks.unmount().catch(() => undefined);
  }
});
