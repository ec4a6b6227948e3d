import type { ApkPackage } from '../apk-index.ts';

/** How a dependency is matched: by which versions, and whether they are excluded. */
const [EQUAL, ANY_VERSION, CONFLICT] = [1, 7, 16];

/** A package for the index. */
export interface WrittenPackage extends ApkPackage {
  /** The version in which it provides its other names. Default: none. */
  readonly providesVersion?: string;
}

/**
 * The counterpart of `parseApkIndex`: an index as apk-tools 3 lays it out, unsigned and not yet compressed (`ADBd` and
 * raw deflate go around it). For tests and the demo upstream; real indexes come from apk. `appendix` is put into a
 * further block, which readers of the first ignore.
 */
export function writeApkIndex(packages: readonly WrittenPackage[], appendix: Uint8Array = new Uint8Array()): Uint8Array {
  const chunks: Uint8Array[] = [new Uint8Array(8)];
  let size = 8;
  const append = (bytes: Uint8Array): number => {
    const padded = new Uint8Array(Math.ceil(bytes.length / 4) * 4);
    padded.set(bytes);
    chunks.push(padded);
    size += padded.length;
    return size - padded.length;
  };
  const text = (value: string): number => blob(new TextEncoder().encode(value));
  const blob = (bytes: Uint8Array): number => {
    if (bytes.length === 0) return 0;
    const [type, width] = bytes.length < 0x100 ? ([8, 1] as const) : bytes.length < 0x10000 ? ([9, 2] as const) : ([10, 4] as const);
    const whole = new Uint8Array(width + bytes.length);
    for (let byte = 0; byte < width; byte++) whole[byte] = bytes.length >>> (8 * byte);
    whole.set(bytes, width);
    return value32(type, append(whole));
  };
  const slots = (type: number, values: readonly number[]): number => value32(type, append(words([values.length + 1, ...values])));
  const array = (values: readonly number[]) => (values.length === 0 ? 0 : slots(13, values));
  const object = (fields: Readonly<Record<number, number>>) => {
    const last = Math.max(0, ...Object.keys(fields).map(Number));
    return slots(
      14,
      Array.from({ length: last }, (_, index) => fields[index + 1] ?? 0),
    );
  };

  const provision = (name: string, version = ''): number =>
    object({ 1: text(name), ...(version !== '' && { 2: text(version), 3: value32(1, EQUAL) }) });

  /** What is the same is written once, as apk does. */
  const written = new Map<object, number>();
  const once = (key: object, write: () => number): number => {
    const value = written.get(key) ?? write();
    written.set(key, value);
    return value;
  };

  const listed = packages.map((one) =>
    once(one, () =>
      object({
        1: text(one.name),
        2: text(one.version),
        3: blob(Uint8Array.from(one.identity?.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))),
        5: text(one.arch),
        15: array([
          ...(one.depends ?? []).map((name) => object({ 1: text(name) })),
          ...(one.conflicts ?? []).map((name) => object({ 1: text(name), 3: value32(1, ANY_VERSION | CONFLICT) })),
        ]),
        16: once(one.provides, () => array(one.provides.map((name) => provision(name, one.providesVersion)))),
        21: array(one.tags.map(text)),
      }),
    ),
  );
  const root = object({ 2: array(listed) });
  chunks[0] = words([0, root]);
  return concat([words([0x2e424441, 0x78646e69]), block(0, concat(chunks)), ...(appendix.length > 0 ? [block(2, appendix)] : [])]);
}

const value32 = (type: number, content: number): number => ((type << 28) | content) >>> 0;

/** A block's size counts its header; the next begins at a multiple of eight. */
function block(type: number, content: Uint8Array): Uint8Array {
  const size = 4 + content.length;
  const padding = new Uint8Array(Math.ceil(size / 8) * 8 - size);
  return concat([words([((type << 30) | size) >>> 0]), content, padding]);
}

function words(values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  for (const [index, value] of values.entries()) view.setUint32(index * 4, value, true);
  return bytes;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
