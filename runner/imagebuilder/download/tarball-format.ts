/** Returns the compression of a tarball by its first bytes, or `undefined` when this is not an ImageBuilder. */
export function tarballFormat(head: Uint8Array): 'xz' | 'zst' | undefined {
  const starts = (magic: readonly number[]) => magic.every((byte, i) => head[i] === byte);
  if (starts([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])) return 'xz';
  if (starts([0x28, 0xb5, 0x2f, 0xfd])) return 'zst';
  return undefined;
}

/** The number of first bytes that `tarballFormat` needs. */
export const MAGIC_BYTES = 6;
