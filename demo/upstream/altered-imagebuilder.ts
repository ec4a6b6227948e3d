import { createHash } from 'node:crypto';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { DemoUpstreamServer } from './serve.ts';
import { type TarMember, tarArchive } from './ustar.ts';

const TARGET = '/releases/24.10.2/targets/x86/64';

/**
 * Makes the upstream serve a changed ImageBuilder of 24.10.2 for x86/64: the demo's, with `members` appended in place
 * of the files that have their names. The list of digests matches it, but has no signature, like that of a mirror that
 * makes its own list.
 */
export const alterImagebuilder = (upstream: DemoUpstreamServer, members: readonly TarMember[]): Promise<void> =>
  replaceImagebuilder(upstream, () => members);

/** Does the same with edits of the demo's own files, by their paths in the ImageBuilder. */
export const editImagebuilder = (upstream: DemoUpstreamServer, edits: Readonly<Record<string, (text: string) => string>>): Promise<void> =>
  replaceImagebuilder(upstream, (textOf) =>
    Object.entries(edits).map(([name, edit]) => {
      const before = textOf(name);
      const after = edit(before);
      if (after === before) throw new Error(`The edit of ${name} changes nothing`);
      return { name, content: Buffer.from(after), mode: 0o755 };
    }),
  );

async function replaceImagebuilder(
  upstream: DemoUpstreamServer,
  membersFor: (textOf: (name: string) => string) => readonly TarMember[],
): Promise<void> {
  const text = async (path: string) => (await fetch(upstream.url + path)).text();
  upstream.restore();
  const sums = await text(`${TARGET}/sha256sums`);
  const name = /openwrt-imagebuilder-\S+/.exec(sums)?.[0] ?? '';
  const top = name.replace(/\.tar\.zst$/, '');
  const packed = Buffer.from(await (await fetch(`${upstream.url}${TARGET}/${name}`)).arrayBuffer());
  const demo = membersOf(zstdDecompressSync(packed));
  const textOf = (path: string) => textOfFile(demo.find(({ name }) => name === `${top}/${path}`)?.bytes ?? Buffer.alloc(HEADER));
  const placed = membersFor(textOf).map((member) => ({ ...member, name: `${top}/${member.name}` }));
  const replaced = new Set(placed.map((member) => member.name));
  const kept = demo.filter(({ name: path }) => !replaced.has(path));
  const altered = zstdCompressSync(Buffer.concat([...kept.map(({ bytes }) => bytes), tarArchive(placed, 1_750_000_000)]));
  upstream.overlay(`${TARGET}/${name}`, altered);
  const digest = createHash('sha256').update(altered).digest('hex');
  upstream.overlay(`${TARGET}/sha256sums`, sums.replace(/[0-9a-f]{64}( \*openwrt-imagebuilder-)/, `${digest}$1`));
  upstream.remove(`${TARGET}/sha256sums.sig`);
}

const HEADER = 512;
const sizeOf = (header: Buffer): number => Number.parseInt(header.toString('latin1', 124, 136), 8) || 0;
const textOfFile = (member: Buffer): string => member.toString('utf8', HEADER, HEADER + sizeOf(member));

/** Returns the members of a ustar archive, each with its header. */
function membersOf(archive: Buffer): { name: string; bytes: Buffer }[] {
  const members: { name: string; bytes: Buffer }[] = [];
  const field = (at: number, length: number) => archive.toString('latin1', at, at + length).split('\0')[0] ?? '';
  for (let at = 0; field(at + 257, 5) === 'ustar'; ) {
    const prefix = field(at + 345, 155);
    const size = sizeOf(archive.subarray(at));
    const end = at + HEADER + 512 * Math.ceil(size / 512);
    members.push({ name: (prefix === '' ? '' : `${prefix}/`) + field(at, 100), bytes: archive.subarray(at, end) });
    at = end;
  }
  return members;
}
