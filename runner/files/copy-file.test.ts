import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { copyPlainFile } from './copy-file.ts';
import { withDirectory } from './directory.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'asu-copy-'));
  await mkdir(join(directory, 'from'));
  await mkdir(join(directory, 'to'));
  await writeFile(join(directory, 'from', 'vim_1.ipk'), 'vim');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const copy = (maxBytes = 1000) =>
  withDirectory(directory, 'from', (from) => withDirectory(directory, 'to', (to) => copyPlainFile(from, to, 'vim_1.ipk', { maxBytes })));

describe('copyPlainFile', () => {
  it('copies the content with mode 0644, replaces an existing file, and leaves nothing else', async () => {
    await writeFile(join(directory, 'to', 'vim_1.ipk'), 'of a build');
    await copy();
    expect(await readFile(join(directory, 'to', 'vim_1.ipk'), 'utf8')).toBe('vim');
    expect((await stat(join(directory, 'to', 'vim_1.ipk'))).mode & 0o7777).toBe(0o644);
    await expect(copy(2)).rejects.toThrow('longer than 2 bytes');
  });

  it("changes no file of the host when the directory's owner replaces the copy with links", async () => {
    const host = join(directory, 'host');
    await writeFile(host, 'of the host', { mode: 0o600 });
    const swap = `
      process.stdout.write('ready');
      for (;;)
        for (const name of fs.readdirSync('.'))
          if (name.startsWith('.'))
            try {
              fs.unlinkSync(name);
              fs.symlinkSync(${JSON.stringify(host)}, name);
            } catch {}`;
    const swapper = spawn(process.execPath, ['--eval', swap], { cwd: join(directory, 'to') });
    try {
      await once(swapper.stdout, 'data');
      // The copy may be gone before it gets its name; only the host's file matters here.
      for (let at = 0; at < 400; at++) await copy().catch(() => undefined);
    } finally {
      swapper.kill('SIGKILL');
      await once(swapper, 'exit');
    }
    const { mode, size } = await stat(host);
    expect([mode & 0o7777, size]).toEqual([0o600, 'of the host'.length]);
  });
});
