import { FEW_BLOCKS } from './image-errors.ts';

const MIB = 1024 * 1024;
const BLOCK = 4096;

/** The known facts about root file systems that did not fit. */
export interface Shortage {
  /** The size of the partition in MiB: ROOTFS_PARTSIZE. */
  readonly partitionMb: number;
  readonly problems: readonly Readonly<Record<string, unknown>>[];
  /** The lines that make printed. */
  readonly lines: readonly string[];
  /** The space that the files of the root take on disk, in KiB, and their number. Absent if it is not known. */
  readonly rootKb?: number | undefined;
  readonly rootFiles?: number | undefined;
}

/** ext4 takes 2 % for inodes and groups and at least 4 MiB for its journal; the margin is twice that. */
const EXT4_SHARE = 1.05;
const EXT4_FIXED_MB = 12;
/** make_ext4fs makes one inode for each 16 KiB. */
const EXT4_INODES_PER_MB = 64;
/** The least room that a device needs for its settings, above a squashfs. */
const OVERLAY_MB = 16;

/**
 * Returns a size in MiB (`rootfs_size_mb`) with which the root file systems fit their partition, or `undefined` if a
 * larger partition would not help: the limit is the device's own.
 */
export function sufficientSize({ partitionMb, problems, lines, rootKb = 0, rootFiles = 0 }: Shortage): number | undefined {
  const blocks = mostLacking(lines);
  const needs = problems.map(({ setting, size, limit }) => {
    if (setting !== 'rootfs_size_mb') return undefined;
    if (typeof size === 'number' && typeof limit === 'number' && limit > 0) return (partitionMb * size) / limit + OVERLAY_MB;
    // The blocks are those of the file at which the tool stopped; others may follow.
    const content = Math.max(partitionMb + (blocks * BLOCK) / MIB, rootKb / 1024, rootFiles / EXT4_INODES_PER_MB);
    return content * EXT4_SHARE + EXT4_FIXED_MB;
  });
  const known = needs.filter((need) => need !== undefined);
  return known.length === problems.length && known.length > 0 ? Math.ceil(Math.max(...known)) : undefined;
}

/**
 * Returns the largest number of blocks that make_ext4fs says it lacked. There may be too many lines for one `Math.max`.
 */
export function mostLacking(lines: readonly string[]): number {
  let most = 0;
  for (const line of lines) most = Math.max(most, Number(FEW_BLOCKS.exec(line)?.[1] ?? 0));
  return most;
}
