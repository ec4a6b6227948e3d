/** A partition, in bytes from the start of the disk. */
export interface Partition {
  readonly start: number;
  readonly size: number;
}

const SECTOR = 512;

/** The size of everything that a partition table can need: MBR, GPT header, and 128 GPT entries of 128 bytes. */
export const TABLE_BYTES = 34 * SECTOR;

/** The number of bytes at the start of a file system that contain its size. */
export const SUPERBLOCK_BYTES = 2048;

const MBR_ENTRIES = 446;
const PROTECTIVE = 0xee;

/**
 * Returns the partitions of a disk image, given its first `TABLE_BYTES`, as OpenWrt's ptgen writes them: GPT, or else
 * the primary ones of an MBR. Returns none for anything but a disk image.
 */
export function partitionsOf(head: Buffer): Partition[] {
  if (head.length < SECTOR || head.readUInt16LE(510) !== 0xaa55) return [];
  const entries = [0, 1, 2, 3].map((index) => MBR_ENTRIES + 16 * index);
  if (entries.some((at) => head.readUInt8(at + 4) === PROTECTIVE)) return gptPartitions(head);
  // Boot sectors of kernels end like an MBR, too, but have code where an MBR has flags.
  if (entries.some((at) => (head.readUInt8(at) & 0x7f) !== 0)) return [];
  return entries
    .filter((at) => head.readUInt8(at + 4) !== 0)
    .map((at) => ({ start: head.readUInt32LE(at + 8) * SECTOR, size: head.readUInt32LE(at + 12) * SECTOR }))
    .filter(({ start }) => start > 0);
}

function gptPartitions(head: Buffer): Partition[] {
  if (head.length < 2 * SECTOR || head.toString('latin1', SECTOR, SECTOR + 8) !== 'EFI PART') return [];
  const [at, count, size] = [head.readUInt32LE(SECTOR + 72) * SECTOR, head.readUInt32LE(SECTOR + 80), head.readUInt32LE(SECTOR + 84)];
  if (size < 128) return [];
  const partitions: Partition[] = [];
  for (let entry = at, left = count; left > 0 && entry + 48 <= head.length; entry += size, left--) {
    const [first, last] = [Number(head.readBigUInt64LE(entry + 32)), Number(head.readBigUInt64LE(entry + 40))];
    if (first > 0 && last >= first) partitions.push({ start: first * SECTOR, size: (last - first + 1) * SECTOR });
  }
  return partitions;
}

/**
 * Returns how many bytes the root file system that begins here needs, according to its superblock; `undefined` for an
 * unknown one.
 */
export function filesystemBytes(start: Buffer): number | undefined {
  if (start.length >= 48 && start.toString('latin1', 0, 4) === 'hsqs') return Number(start.readBigUInt64LE(40));
  if (start.length < SUPERBLOCK_BYTES) return undefined;
  const superblock = start.subarray(1024);
  if (superblock.readUInt16LE(56) === 0xef53) return superblock.readUInt32LE(4) * 1024 * 2 ** superblock.readUInt32LE(24);
  if (superblock.readUInt32LE(0) === 0xe0f5e1e2) return superblock.readUInt32LE(36) * 2 ** superblock.readUInt8(12);
  return undefined;
}
