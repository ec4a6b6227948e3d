/** One member of an archive. The name of a directory ends in "/". */
export interface TarMember {
  name: string;
  content?: Buffer;
  mode?: number;
  linkTarget?: string;
}

const BLOCK = 512;

const octal = (value: number, length: number) => `${value.toString(8).padStart(length - 1, '0')}\0`;

/** Splits a long name at a slash into the two fields that ustar has for it. */
function splitName(name: string): { name: string; prefix: string } {
  if (name.length <= 100) return { name, prefix: '' };
  const slash = name.lastIndexOf('/', 154);
  if (slash < 0 || name.length - slash - 1 > 100) throw new Error(`name too long for ustar: ${name}`);
  return { name: name.slice(slash + 1), prefix: name.slice(0, slash) };
}

function header(member: TarMember, time: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  const isDirectory = member.name.endsWith('/');
  const { name, prefix } = splitName(member.name);
  block.write(name, 0);
  block.write(octal(member.mode ?? (isDirectory ? 0o755 : 0o644), 8), 100);
  block.write(octal(0, 8), 108);
  block.write(octal(0, 8), 116);
  block.write(octal(member.content?.length ?? 0, 12), 124);
  block.write(octal(time, 12), 136);
  block.write(' '.repeat(8), 148);
  block.write(member.linkTarget === undefined ? (isDirectory ? '5' : '0') : '2', 156);
  block.write(member.linkTarget ?? '', 157);
  block.write('ustar\x0000', 257);
  block.write('root', 265);
  block.write('root', 297);
  block.write(prefix, 345);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

/**
 * Returns a tar archive, with the same bytes for the same members. With `end: false` it has no closing blocks, so more
 * can follow.
 */
export function tarArchive(members: readonly TarMember[], time: number, { end = true } = {}): Buffer {
  const blocks: Buffer[] = [];
  for (const member of members) {
    blocks.push(header(member, time));
    if (member.content === undefined) continue;
    blocks.push(member.content, Buffer.alloc((BLOCK - (member.content.length % BLOCK)) % BLOCK));
  }
  if (end) blocks.push(Buffer.alloc(2 * BLOCK));
  return Buffer.concat(blocks);
}

/** Returns the members for a set of files; the directories that contain them come first. */
export function fileMembers(files: Record<string, { content: Buffer; mode?: number }>, root = './'): TarMember[] {
  const directories = new Set<string>();
  for (const path of Object.keys(files)) {
    const parts = path.split('/').slice(0, -1);
    parts.forEach((_, index) => {
      directories.add(`${parts.slice(0, index + 1).join('/')}/`);
    });
  }
  return [
    ...(root === '' ? [] : [{ name: root }]),
    ...[...directories].sort().map((name) => ({ name: `${root}${name}` })),
    ...Object.entries(files)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([path, { content, mode }]) => ({ name: `${root}${path}`, content, ...(mode === undefined ? {} : { mode }) })),
  ];
}
