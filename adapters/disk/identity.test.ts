import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { stampFile } from './identity.ts';

it('names one file anew at every writing, however fast they follow: its number may be taken again at once', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'asu-identity-'));
  const file = await open(join(directory, 'file'), 'w');
  onTestFinished(async () => {
    await file.close();
    await rm(directory, { recursive: true });
  });
  const identities: string[] = [];
  for (let i = 0; i < 1_000; i += 1) identities.push(await stampFile(file));
  expect(new Set(identities).size).toBe(1_000);
  expect(Math.abs((await file.stat()).mtimeMs - Date.now())).toBeLessThan(60_000);
});
