import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { stampFile } from './identity.ts';

it('names one file anew at every writing, however fast they follow: its number may be taken again at once', async () => {
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
