import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { filesystemBytes, partitionsOf } from './disk-layout.ts';
import { overflowingImages } from './overflowing-images.ts';

const directory = await temporaryDirectory();

const MIB = 1024 * 1024;
const SECTOR = 512;
interface Part {
  start: number;
  size: number;
}

/** Returns a partition table like that of ptgen without `-g`. */
function mbr(parts: readonly Part[]): Buffer {
  const head = Buffer.alloc(SECTOR);
  for (const [index, { start, size }] of parts.entries()) {
    const at = 446 + 16 * index;
    head.writeUInt8(index === 0 ? 0x80 : 0, at);
    head.writeUInt8(0x83, at + 4);
    head.writeUInt32LE(start / SECTOR, at + 8);
    head.writeUInt32LE(size / SECTOR, at + 12);
  }
  head.writeUInt16LE(0xaa55, 510);
  return head;
}

/** Returns a partition table like that of ptgen with `-g`: a protective MBR first. */
function gpt(parts: readonly Part[]): Buffer {
  const head = Buffer.alloc(34 * SECTOR);
  head.writeUInt8(0xee, 446 + 4);
  head.writeUInt32LE(1, 446 + 8);
  head.writeUInt16LE(0xaa55, 510);
  head.write('EFI PART', SECTOR, 'latin1');
  head.writeUInt32LE(2, SECTOR + 72);
  head.writeUInt32LE(128, SECTOR + 80);
  head.writeUInt32LE(128, SECTOR + 84);
  for (const [index, { start, size }] of parts.entries()) {
    head.writeBigUInt64LE(BigInt(start / SECTOR), 2 * SECTOR + 128 * index + 32);
    head.writeBigUInt64LE(BigInt((start + size) / SECTOR - 1), 2 * SECTOR + 128 * index + 40);
  }
  return head;
}

const superblocks = {
  squashfs: (bytes: number) => {
    const block = Buffer.alloc(2048);
    block.write('hsqs', 0, 'latin1');
    block.writeBigUInt64LE(BigInt(bytes), 40);
    return block;
  },
  ext4: (bytes: number) => {
    const block = Buffer.alloc(2048);
    block.writeUInt32LE(bytes / 4096, 1024 + 4);
    block.writeUInt32LE(2, 1024 + 24);
    block.writeUInt16LE(0xef53, 1024 + 56);
    return block;
  },
  erofs: (bytes: number) => {
    const block = Buffer.alloc(2048);
    block.writeUInt32LE(0xe0f5e1e2, 1024);
    block.writeUInt8(12, 1024 + 12);
    block.writeUInt32LE(bytes / 4096, 1024 + 36);
    return block;
  },
};

const boot = { start: 256 * 1024, size: 16 * MIB };
const root = { start: 17 * MIB, size: 64 * MIB };

function disk(table: Buffer, filesystem: Buffer): Buffer {
  const image = Buffer.alloc(root.start + filesystem.length);
  table.copy(image);
  filesystem.copy(image, root.start);
  return image;
}

async function check(name: string, content: Buffer) {
  const path = join(directory, name);
  await writeFile(path, content);
  return overflowingImages([{ name, path, size: content.length, sha256: '' }], new AbortController().signal);
}

describe.each(Object.entries({ mbr: mbr([boot, root]), gpt: gpt([boot, root]) }))('a disk with %s', (table, head) => {
  it.each(Object.entries(superblocks))('is refused when its %s does not fit, and only then', async (kind, superblock) => {
    const tooLarge = disk(head, superblock(root.size + 4096));
    for (const [name, content] of [
      [`${table}-${kind}.img`, tooLarge],
      [`${table}-${kind}.img.gz`, gzipSync(tooLarge, { level: 1 })],
    ] as const)
      expect(await check(name, content)).toEqual([
        {
          code: 'image_too_big',
          image: name,
          size: root.size + 4096,
          limit: root.size,
          part: 'rootfs',
          setting: 'rootfs_size_mb',
          message: `${name}: the root file system has ${root.size + 4096} bytes, its partition takes ${root.size} (rootfs_size_mb)`,
        },
      ]);
    expect(await check('fits.img.gz', gzipSync(disk(head, superblock(root.size)), { level: 1 }))).toEqual([]);
  });

  it('is accepted with something else in its partitions', async () => {
    expect(await check('other.img', disk(head, Buffer.from('something')))).toEqual([]);
  });
});

describe('something that is not a disk', () => {
  it.each([
    ['the image of a flash chip', Buffer.alloc(100_000, 0xff)],
    ['a root file system alone', superblocks.squashfs(1e9)],
    ['nothing', Buffer.alloc(0)],
    ['a disk that ends too early', mbr([boot, root])],
  ])('%s passes', async (_, content) => {
    expect(await check('some.bin', content)).toEqual([]);
    expect(await check('some.bin.gz', gzipSync(content))).toEqual([]);
    expect(await check('broken.gz', content)).toEqual([]);
  });

  it('a kernel whose boot sector ends like a partition table has no partitions', () => {
    const kernel = Buffer.alloc(SECTOR, 0x4d);
    kernel.writeUInt16LE(0xaa55, 510);
    expect(partitionsOf(kernel)).toEqual([]);
  });

  it('an empty file makes the reading fail', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 4096 }), (bytes) => {
        const head = Buffer.concat([Buffer.from(bytes), Buffer.alloc(Math.max(0, 2 * SECTOR - bytes.length))]);
        head.writeUInt16LE(0xaa55, 510);
        head.writeUInt8(0xee, 450);
        head.write('EFI PART', SECTOR, 'latin1');
        filesystemBytes(Buffer.from(bytes));
        return partitionsOf(head).every(({ start, size }) => start > 0 && size > 0);
      }),
    );
  });
});
