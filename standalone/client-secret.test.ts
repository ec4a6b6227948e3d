import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { clientSecret } from './client-secret.ts';

let directory: string;
beforeEach(async () => {
  directory = await temporaryDirectory();
});

it('is made once, even by several processes at once, and leaves no other file', async () => {
  const secrets = await Promise.all(Array.from({ length: 8 }, () => clientSecret(directory)));
  const kept = await readFile(join(directory, 'client-secret'));
  expect(kept).toHaveLength(32);
  for (const secret of [...secrets, await clientSecret(directory)]) expect(Buffer.from(secret).equals(kept)).toBe(true);
  expect(await readdir(directory)).toEqual(['client-secret']);
});

it('is made again if the file contains none', async () => {
  await writeFile(join(directory, 'client-secret'), 'short');
  expect(await clientSecret(directory)).toHaveLength(32);
  expect(await readdir(directory)).toEqual(['client-secret']);
});
