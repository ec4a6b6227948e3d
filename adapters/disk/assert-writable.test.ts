import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { assertWritable } from './assert-writable.ts';

let directory: string;
beforeEach(async () => {
  directory = await temporaryDirectory();
});

it('leaves a writable directory as it was, and creates a missing one', async () => {
  await assertWritable(directory);
  await assertWritable(join(directory, 'new/deeper'));
  expect(await readdir(directory, { recursive: true })).toEqual(['new', 'new/deeper']);
});

it('names no path in its reason', async () => {
  await writeFile(join(directory, 'file'), '');
  await expect(assertWritable(join(directory, 'file'))).rejects.toThrow(/^cannot be written to \((?:EEXIST|ENOTDIR)\)$/);
  await expect(assertWritable('/proc')).rejects.toThrow(/^cannot be written to \([A-Z]+\)$/);
  await expect(assertWritable('/dev/full')).rejects.toThrow(/^cannot be written to \([A-Z]+\)$/);
});
