import { PIECE, type Sliced } from './sliced.ts';

/** Maps in documents of ours stand no deeper than this; what is deeper is small. */
const SLICED_DEPTH = 5;

const isPlain = (value: unknown): boolean => typeof value !== 'object' || value === null;

/** The text that `JSON.stringify` makes of plain data, in pieces. `undefined` as there: for `undefined` itself. */
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
