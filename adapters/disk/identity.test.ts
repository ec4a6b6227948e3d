import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { stampFile } from './identity.ts';

it('gives each write of one file another identity, however fast they follow: inode numbers are reused', async () => {
  const directory = await temporaryDirectory();
  const file = await open(join(directory, 'file'), 'w');
  onTestFinished(async () => {
    await file.close();
  });
  const identities: string[] = [];
  for (let i = 0; i < 1_000; i += 1) identities.push(await stampFile(file));
  expect(new Set(identities).size).toBe(1_000);
  expect(Math.abs((await file.stat()).mtimeMs - Date.now())).toBeLessThan(60_000);
});
