import { PIECE, type Sliced } from '#lib/sliced.ts';
import { FIELDS, type PackageTable, RELATION, type TableParts, tableOf } from './package-table.ts';

/** The number of the format. Another number, lower or higher, is another format. */
const FORMAT = 1;
/** `ASU package table`, so that nothing else is taken for one. */
const MAGIC = 0x54505341;
/** Magic, format, and the lengths of the five parts: names, texts (in bytes), packages, relations, tags (in numbers). */
const HEADER_NUMBERS = 7;
const WIDTH = Uint32Array.BYTES_PER_ELEMENT;

/** Returns the table as bytes, for a store or another thread. Numbers are little-endian. */
export function bytesOfTable({ names, texts, packages, relations, tags }: PackageTable): Uint8Array {
  const encoder = new TextEncoder();
  const [nameBytes, textBytes] = [encoder.encode(names.join('\n')), encoder.encode(texts.join('\n'))];
  const arrays = [packages, relations, tags];
  const numbers = HEADER_NUMBERS + arrays.reduce((sum, { length }) => sum + length, 0);
  const bytes = new Uint8Array(numbers * WIDTH + nameBytes.length + textBytes.length);
  const view = new DataView(bytes.buffer);
  const header = [MAGIC, FORMAT, nameBytes.length, textBytes.length, ...arrays.map(({ length }) => length)];
  let at = 0;
  for (const values of [header, ...arrays])
    for (const value of values) {
      view.setUint32(at, value, true);
      at += WIDTH;
    }
  bytes.set(nameBytes, at);
  bytes.set(textBytes, at + nameBytes.length);
  return bytes;
}

/**
 * Returns the table that was made into these bytes, or `undefined` if they are of another format or damaged. A table
 * that it returns has no number that leads outside.
 */
export function* tableFromBytes(bytes: Uint8Array): Sliced<PackageTable | undefined> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.byteLength < HEADER_NUMBERS * WIDTH || view.getUint32(0, true) !== MAGIC || view.getUint32(WIDTH, true) !== FORMAT)
    return undefined;
  const header = Array.from({ length: HEADER_NUMBERS - 2 }, (_, at) => view.getUint32((at + 2) * WIDTH, true));
  const [nameBytes = 0, textBytes = 0, ...lengths] = header;
  const end = (HEADER_NUMBERS + lengths.reduce((sum, length) => sum + length, 0)) * WIDTH;
  if (end + nameBytes + textBytes !== bytes.byteLength) return undefined;
  let at = HEADER_NUMBERS * WIDTH;
  const arrays: Uint32Array[] = [];
  for (const length of lengths) {
    const values = new Uint32Array(length);
    for (let index = 0; index < length; index++) {
      if (index % (PIECE * FIELDS) === 0) yield;
      values[index] = view.getUint32(at, true);
      at += WIDTH;
    }
    arrays.push(values);
  }
  const decoder = new TextDecoder();
  const linesOf = (from: number, length: number) => (length === 0 ? [''] : decoder.decode(bytes.subarray(from, from + length)).split('\n'));
  const names = nameBytes === 0 ? [] : linesOf(end, nameBytes);
  yield;
  const texts = linesOf(end + nameBytes, textBytes);
  yield;
  const [packages, relations, tags] = arrays;
  if (packages === undefined || relations === undefined || tags === undefined) return undefined;
  const parts: TableParts = { names, texts, packages, relations, tags };
  return isSound(parts) ? yield* tableOf(parts) : undefined;
}

/** Whether no number leads outside, and the relations and tags of each package follow those of the one before. */
function isSound({ names, texts, packages, relations, tags }: TableParts): boolean {
  if (packages.length % FIELDS !== 0 || relations.length % RELATION !== 0) return false;
  for (let at = 0; at < relations.length; at += RELATION)
    if ((relations[at] ?? 0) >= names.length || (relations[at + 1] ?? 0) >= texts.length) return false;
  if (tags.some((tag) => tag >= texts.length)) return false;
  let [relationEnd, tagEnd] = [0, 0];
  for (let row = 0; row < packages.length; row += FIELDS) {
    const [name = 0, version = 0, arch = 0, , identity = 0, , , , description = 0, ...ends] = packages.subarray(row, row + FIELDS);
    if (name >= names.length || [version, arch, identity, description].some((text) => text >= texts.length)) return false;
    for (const end of ends.slice(0, -1)) {
      if (end < relationEnd || end % RELATION !== 0) return false;
      relationEnd = end;
    }
    const last = ends.at(-1) ?? 0;
    if (last < tagEnd) return false;
    tagEnd = last;
  }
  return relationEnd <= relations.length && tagEnd <= tags.length;
}
