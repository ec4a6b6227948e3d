import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { BuiltFile } from '#core/imagebuilder/build-output.ts';
import type { BuildProblem } from '#core/imagebuilder/failure-analysis.ts';
import { mapAtMost } from '#lib/map-at-most.ts';
import { type PlainFile, withPlainFile } from '#runner/files/plain-file.ts';
import { filesystemBytes, type Partition, partitionsOf, SUPERBLOCK_BYTES, TABLE_BYTES } from './disk-layout.ts';

/** How many images are read at a time: each is unpacked on another processor, as far as there are some. */
const AT_ONCE = 4;

/** The offset beyond which partitions are ignored. OpenWrt's root partitions begin within the first 100 MiB. */
const MAX_START = 512 * 1024 * 1024;

/**
 * Returns the disk images whose root file system is larger than its partition: such an image does not boot, and
 * ImageBuilder does not report it. OpenWrt's scripts/gen_image_generic.sh and similar scripts make the partition as
 * large as ROOTFS_PARTSIZE and write a file system of any size over it; only ext4 is made to fit. This reads the images
 * themselves and compares the partition table with the superblock, so it works for every target, whatever the build did
 * to its own tree.
 */
export async function overflowingImages(files: readonly BuiltFile[], signal: AbortSignal): Promise<BuildProblem[]> {
  const problems = await mapAtMost(files, AT_ONCE, async ({ name, path }): Promise<BuildProblem[]> => {
    signal.throwIfAborted();
    const overflow = await withPlainFile(path, (file) => overflowOf(file, path.endsWith('.gz'), signal));
    signal.throwIfAborted();
    if (overflow === undefined) return [];
    const { size, limit } = overflow;
    const message = `${name}: the root file system has ${size} bytes, its partition takes ${limit} (rootfs_size_mb)`;
    return [{ code: 'image_too_big', image: name, size, limit, part: 'rootfs', setting: 'rootfs_size_mb', message }];
  });
  return problems.flat();
}

async function overflowOf(image: PlainFile, isGzip: boolean, signal: AbortSignal): Promise<{ size: number; limit: number } | undefined> {
  const disk = openImage(image, isGzip, signal);
  try {
    const partitions = partitionsOf(await disk.read(0, TABLE_BYTES))
      .filter(({ start }) => start < MAX_START)
      .sort((a, b) => a.start - b.start);
    for (const partition of partitions) {
      const size = await sizeAt(disk, partition);
      if (size !== undefined && size > partition.size) return { size, limit: partition.size };
    }
    return undefined;
  } finally {
    disk.close();
  }
}

const sizeAt = async (disk: ImageReader, { start }: Partition): Promise<number | undefined> =>
  filesystemBytes(await disk.read(start, SUPERBLOCK_BYTES));

interface ImageReader {
  /**
   * Returns bytes of the unpacked image, or fewer at its end. Positions may only grow, except within the last bytes
   * read.
   */
  read(start: number, length: number): Promise<Buffer>;
  close(): void;
}

/** Reads an image from its start, no further than asked, and unpacks gzip. A damaged image ends where it is damaged. */
function openImage(image: PlainFile, isGzip: boolean, signal: AbortSignal): ImageReader {
  const file = image.createReadStream({ highWaterMark: 256 * 1024, start: 0, autoClose: false, signal });
  const source: Readable = isGzip ? file.pipe(createGunzip({ chunkSize: 256 * 1024 })) : file;
  file.on('error', (error) => source.destroy(error));
  const chunks = source[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let held: Buffer = Buffer.alloc(0);
  let heldAt = 0;
  const more = async (): Promise<boolean> => {
    const next = await chunks.next().catch(() => undefined);
    if (next === undefined || next.done === true) return false;
    held = Buffer.concat([held, next.value]);
    return true;
  };
  return {
    read: async (start, length) => {
      while (heldAt + held.length < start + length) {
        const skipped = Math.min(Math.max(0, start - heldAt), held.length);
        held = held.subarray(skipped);
        heldAt += skipped;
        if (!(await more())) break;
      }
      return held.subarray(Math.max(0, start - heldAt), Math.max(0, start - heldAt) + length);
    },
    close: () => {
      file.destroy();
      source.destroy();
    },
  };
}
