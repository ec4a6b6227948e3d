import { PIECE, type Sliced } from '#lib/sliced.ts';
import { MalformedFileError } from './upstream-files.ts';

const MAGIC = 0x2e424441; // "ADB."
const INDEX_SCHEMA = 0x78646e69; // "indx"
const FILE_HEADER = 8;
const BLOCK_HEADER = 4;
const BLOB_LENGTH_BYTES: Readonly<Record<number, 1 | 2 | 4>> = { 8: 1, 9: 2, 10: 4 };
const INTEGER = 1;
const INTEGER_32 = 2;
const ARRAY = 13;
const OBJECT = 14;

/** Fields of apk-tools' schemas (src/apk_adb.h); 0 is the number of slots. */
const INDEX_PACKAGES = 2;
export const DEPENDENCY = { name: 1, version: 2, match: 3 } as const;
/** The bit in how a dependency is matched that turns it into a conflict: `!name`. */
export const CONFLICT = 16;
export const PACKAGE = {
  name: 1,
  version: 2,
  identity: 3,
  description: 4,
  arch: 5,
  installedSize: 12,
  downloadSize: 13,
  priority: 14,
  depends: 15,
  provides: 16,
  installIf: 18,
  tags: 21,
} as const;

/**
 * Equal objects and texts stand in a file once and are referred to from many places, so what is read can be more than
 * the file holds: an index of 11,000 packages has half a million slots and four megabytes of texts. Beyond these limits
 * it is an attack.
 */
const MAX_SLOTS = 5_000_000;
const MAX_TEXT_BYTES = 64 * 1024 * 1024;

/** The fields of one package in the file. An absent field is empty, or 0. */
export interface AdbPackage {
  readonly text: (field: number) => string;
  readonly texts: (field: number) => string[];
  readonly integer: (field: number) => number;
  readonly hex: (field: number) => string;
  /** Returns the dependencies of a field, to be read with `tree`. */
  readonly dependencies: (field: number) => number[][];
  readonly tree: AdbTree;
}

type AdbTree = ReturnType<typeof openAdb>;

/**
 * Reads the packages in apk's `packages.adb`, unpacked (the file is `ADBd` and raw deflate around it). The format is
 * that of apk-tools 3 (src/adb.h): blocks, the first being a tree of typed offsets into itself. Signatures are the
 * package manager's business. `textsEach` is about how many texts `read` takes of a package. It throws a
 * `MalformedFileError` for a file that is cut off or of another format.
 */
export function* readAdbPackages<T>(bytes: Uint8Array, textsEach: number, read: (found: AdbPackage) => T): Sliced<T[]> {
  try {
    const tree = openAdb(bytes);
    const listed = tree.slots(tree.slots(tree.root)[INDEX_PACKAGES] ?? 0);
    const packages: T[] = [];
    for (let item = 1; item < listed.length; item++) {
      if (item % (PIECE / textsEach) === 0) yield;
      const slots = tree.slots(listed[item] ?? 0);
      const list = (field: number) => tree.slots(slots[field] ?? 0).slice(1);
      packages.push(
        read({
          text: (field) => tree.text(slots[field] ?? 0),
          texts: (field) => list(field).map(tree.text),
          integer: (field) => tree.integer(slots[field] ?? 0),
          hex: (field) => tree.hex(slots[field] ?? 0),
          dependencies: (field) => list(field).map(tree.slots),
          tree,
        }),
      );
    }
    return packages;
  } catch (cause) {
    if (cause instanceof RangeError) throw new MalformedFileError('packages.adb', 'it is cut off or of another format', { cause });
    throw cause;
  }
}

/** Whether the value, a small number inside its slot, has the bit of a conflict. */
export const isConflict = (value = 0): boolean => value >>> 28 === INTEGER && (value & CONFLICT) !== 0;

/**
 * A value is 4 bits of type and 28 of content, usually an offset; absent fields are 0. Reading outside throws
 * `RangeError`.
 */
function openAdb(bytes: Uint8Array) {
  const file = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (file.getUint32(0, true) !== MAGIC || file.getUint32(4, true) !== INDEX_SCHEMA) throw new RangeError('no index');
  const block = file.getUint32(FILE_HEADER, true);
  if (block >>> 30 !== 0) throw new RangeError('the first block is no tree');
  const start = FILE_HEADER + BLOCK_HEADER;
  const size = block - BLOCK_HEADER;
  // The buffer may be larger than the file.
  if (start + size > bytes.byteLength) throw new RangeError('longer than the file');
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, size);
  if (view.getUint8(0) !== 0) throw new RangeError('a later format');
  const decoder = new TextDecoder();
  let slotsRead = 0;
  let textRead = 0;
  const blob = (value: number): Uint8Array => {
    if (value === 0) return new Uint8Array();
    const width = BLOB_LENGTH_BYTES[value >>> 28];
    if (width === undefined) throw new RangeError('no text');
    const offset = value & 0x0fffffff;
    const length = width === 1 ? view.getUint8(offset) : width === 2 ? view.getUint16(offset, true) : view.getUint32(offset, true);
    if (offset + width + length > view.byteLength) throw new RangeError('longer than the file');
    textRead += length;
    if (textRead > MAX_TEXT_BYTES) throw new RangeError(`more than ${MAX_TEXT_BYTES} bytes of text`);
    return new Uint8Array(view.buffer, view.byteOffset + offset + width, length);
  };

  return {
    root: view.getUint32(4, true),

    /** An array's items or an object's fields, each at its own index; index 0 is their number. */
    slots(value: number): number[] {
      const type = value >>> 28;
      if (value === 0) return [];
      if (type !== ARRAY && type !== OBJECT) throw new RangeError('neither array nor object');
      const offset = value & 0x0fffffff;
      const length = view.getUint32(offset, true);
      if (length * 4 > view.byteLength) throw new RangeError('longer than the file');
      slotsRead += length;
      if (slotsRead > MAX_SLOTS) throw new RangeError(`more than ${MAX_SLOTS} slots`);
      return Array.from({ length }, (_, index) => view.getUint32(offset + index * 4, true));
    },

    text: (value: number): string => decoder.decode(blob(value)),

    /** An absent integer is 0. */
    integer(value: number): number {
      const type = value >>> 28;
      if (value === 0 || type === INTEGER) return value & 0x0fffffff;
      if (type !== INTEGER_32) throw new RangeError('no integer');
      return view.getUint32(value & 0x0fffffff, true);
    },

    hex: (value: number): string => Array.from(blob(value), (byte) => byte.toString(16).padStart(2, '0')).join(''),
  };
}
