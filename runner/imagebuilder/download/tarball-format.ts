/** How a tarball is compressed, told by its first bytes; `undefined`: this is no ImageBuilder. */
export function tarballFormat(head: Uint8Array): 'xz' | 'zst' | undefined {
  const starts = (magic: readonly number[]) => magic.every((byte, i) => head[i] === byte);
  if (starts([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])) return 'xz';
  if (starts([0x28, 0xb5, 0x2f, 0xfd])) return 'zst';
  return undefined;
}

/** As many first bytes as `tarballFormat` looks at. */
export const MAGIC_BYTES = 6;
