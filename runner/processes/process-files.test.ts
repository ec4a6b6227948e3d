import { type FileHandle, mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { heldFiles } from './process-files.ts';

const MIB = 1024 * 1024;

/** A directory on a disk. That for temporary files may be in memory. */
const ON_DISK = fileURLToPath(new URL('../../node_modules/.cache/', import.meta.url));

let directory: string;
let files: FileHandle[];
beforeEach(async () => {
  await mkdir(ON_DISK, { recursive: true });
  directory = await mkdtemp(join(ON_DISK, 'asu-held-'));
  files = [];
});
afterEach(async () => {
  await Promise.all(files.map((file) => file.close()));
  await rm(directory, { recursive: true });
});

async function write(path: string): Promise<FileHandle> {
  const file = await open(path, 'w+');
  files.push(file);
  await file.writeFile(Buffer.alloc(2 * MIB, 1));
  await file.sync();
  return file;
}

it('counts files without a name once, and files with a name not at all', async () => {
  const before = await heldFiles([process.pid]);
  await write(join(directory, 'named'));
  await write(join(directory, 'gone'));
  files.push(await open(join(directory, 'gone')));
  await rm(join(directory, 'gone'));
  const { diskBytes, memoryBytes } = await heldFiles([process.pid, process.pid]);
  expect(diskBytes - before.diskBytes).toBeGreaterThanOrEqual(2 * MIB);
  expect(diskBytes - before.diskBytes).toBeLessThan(3 * MIB);
  expect(memoryBytes).toBe(before.memoryBytes);
});

it('counts files in memory separately, and none of a process that has ended', async () => {
  const before = await heldFiles([process.pid]);
  const path = `/dev/shm/asu-held-${process.pid}`;
  await write(path);
  await rm(path);
  const { memoryBytes } = await heldFiles([process.pid]);
  expect(memoryBytes - before.memoryBytes).toBe(2 * MIB);
  expect(await heldFiles([2 ** 22 + 1])).toEqual({ diskBytes: 0, memoryBytes: 0 });
});
