import { PIECE, type Sliced } from './sliced.ts';

/** The large maps of the server's documents are at most this deep. Everything deeper is small. */
const SLICED_DEPTH = 5;

const isPlain = (value: unknown): boolean => typeof value !== 'object' || value === null;

/** Returns the text that `JSON.stringify` makes of plain data, in pieces, and `undefined` for `undefined`. */
export function* writeJson(value: unknown, depth = 0): Sliced<string | undefined> {
  if (isPlain(value) || depth === SLICED_DEPTH) return JSON.stringify(value);
  const isList = Array.isArray(value);
  const entries = value as Record<string, unknown>;
  const parts: string[] = [];
  let written = 0;
  for (const key of Object.keys(entries)) {
    if (++written % PIECE === 0) yield;
    const item = entries[key];
    const text = isPlain(item) ? JSON.stringify(item) : yield* writeJson(item, depth + 1);
    if (isList) parts.push(text ?? 'null');
    else if (text !== undefined) parts.push(`${JSON.stringify(key)}:${text}`);
  }
  return isList ? `[${parts.join(',')}]` : `{${parts.join(',')}}`;
}
