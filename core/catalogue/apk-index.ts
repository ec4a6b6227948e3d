import { PIECE, type Sliced } from '#lib/sliced.ts';
import { MalformedFileError } from './upstream-files.ts';

/** A package in apk's index. */
export interface ApkPackage {
  /** The name with its ABI suffix. */
  readonly name: string;
  readonly version: string;
  readonly arch: string;
  /** Names only, without versions. */
  readonly provides: readonly string[];
  /** `openwrt:abiversion=20240329` and the like. */
  readonly tags: readonly string[];
  /** The names that the package excludes, if any. */
  readonly conflicts?: readonly string[];
  /** What apk knows the package by, in hexadecimal digits: a digest of its description. Absent in indexes that leave it out. */
  readonly identity?: string;
  /** The names of the packages that it needs, without versions. Present for `base-files`, and if the reader asked for them. */
  readonly depends?: readonly string[];
}

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
const DEPENDENCY = { name: 1, match: 3 } as const;
/** The bit in how a dependency is matched that turns it into a conflict: `!name`. */
const CONFLICT = 16;
const PACKAGE = { name: 1, version: 2, identity: 3, arch: 5, depends: 15, provides: 16, tags: 21 } as const;

/** A package has some ten texts. */
const PACKAGES_PER_PIECE = PIECE / 10;
/**
 * Equal objects and texts stand in a file once and are referred to from many places, so what is read can be more than
 * the file holds: an index of 11,000 packages has half a million slots and four megabytes of texts. Beyond these limits
 * it is an attack.
 */
const MAX_SLOTS = 5_000_000;
const MAX_TEXT_BYTES = 64 * 1024 * 1024;

/**
 * The packages in apk's `packages.adb`, unpacked (the file is `ADBd` and raw deflate around it). The format is that of
 * apk-tools 3 (src/adb.h): blocks, the first being a tree of typed offsets into itself. Signatures are the package
 * manager's business.
 */
export function* parseApkIndex(bytes: Uint8Array, { withDepends = false } = {}): Sliced<ApkPackage[]> {
  try {
    const tree = openAdb(bytes);
    const nameOf = (dependency: readonly number[]) => tree.text(dependency[DEPENDENCY.name] ?? 0);
    const listed = tree.slots(tree.slots(tree.root)[INDEX_PACKAGES] ?? 0);
    const packages: ApkPackage[] = [];
    for (let item = 1; item < listed.length; item++) {
      if (item % PACKAGES_PER_PIECE === 0) yield;
      const field = tree.slots(listed[item] ?? 0);
      const text = (index: number) => tree.text(field[index] ?? 0);
      const list = (index: number) => tree.slots(field[index] ?? 0).slice(1);
      const dependencies = (index: number) => list(index).map(tree.slots);
      const identity = tree.hex(field[PACKAGE.identity] ?? 0);
      const depended = dependencies(PACKAGE.depends);
      const excludes = (dependency: readonly number[]) => isConflict(dependency[DEPENDENCY.match]);
      const conflicts = depended.filter(excludes).map(nameOf);
      const name = text(PACKAGE.name);
      packages.push({
        ...((withDepends || name === 'base-files') && { depends: depended.filter((dependency) => !excludes(dependency)).map(nameOf) }),
        ...(identity !== '' && { identity }),
        name,
        version: text(PACKAGE.version),
        arch: text(PACKAGE.arch),
        provides: dependencies(PACKAGE.provides).map(nameOf),
        tags: list(PACKAGE.tags).map(tree.text),
        ...(conflicts.length > 0 && { conflicts }),
      });
    }
    return packages;
  } catch (cause) {
    if (cause instanceof RangeError) throw new MalformedFileError('packages.adb', 'it is cut off or of another format', { cause });
    throw cause;
  }
}

/** Whether the value, a small number inside its slot, has the bit of a conflict. */
const isConflict = (value = 0): boolean => value >>> 28 === INTEGER && (value & CONFLICT) !== 0;

/**
 * A value is 4 bits of type and 28 of content, usually an offset; absent fields are 0. Reading outside throws
 * `RangeError`.
 */
export function openAdb(bytes: Uint8Array) {
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
