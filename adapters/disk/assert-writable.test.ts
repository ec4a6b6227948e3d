import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { assertWritable } from './assert-writable.ts';

let directory: string;
beforeEach(async () => {
  directory = await temporaryDirectory();
});

it('a directory that can be written to is left as it was, and made where there is none', async () => {
  await assertWritable(directory);
  await assertWritable(join(directory, 'new/deeper'));
  expect(await readdir(directory, { recursive: true })).toEqual(['new', 'new/deeper']);
});

it('the reason names no path', async () => {
  await writeFile(join(directory, 'file'), '');
  await expect(assertWritable(join(directory, 'file'))).rejects.toThrow(/^cannot be written to \((?:EEXIST|ENOTDIR)\)$/);
  await expect(assertWritable('/proc')).rejects.toThrow(/^cannot be written to \([A-Z]+\)$/);
  await expect(assertWritable('/dev/full')).rejects.toThrow(/^cannot be written to \([A-Z]+\)$/);
});
