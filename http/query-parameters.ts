import { InvalidRequestError } from '#core/request/invalid-request.ts';

const TRUE = new Set(['true', 't', '1', 'yes', 'y', 'on']);
const FALSE = new Set(['false', 'f', '0', 'no', 'n', 'off']);

/** A boolean query parameter, spelled as the reference server's framework takes booleans; absent is false. */
export function queryFlag(name: string, value: string | undefined): boolean {
  if (value === undefined) return false;
  const word = value.toLowerCase();
  if (TRUE.has(word)) return true;
  if (FALSE.has(word)) return false;
  throw new InvalidRequestError([
    {
      type: 'bool_parsing',
      loc: ['query', name],
      msg: 'Input should be a valid boolean, unable to interpret input',
      ...(value.length <= 100 && { input: value }),
    },
  ]);
}

/**
 * A whole number in the query, spelled as the reference server's framework takes them; absent is `fallback`, too much
 * is `max`.
 */
export function queryInteger(
  name: string,
  value: string | undefined,
  { fallback, min, max }: { fallback: number; min: number; max: number },
): number {
  if (value === undefined) return fallback;
  if (/^\s*[+-]?\d+(?:\.0*)?\s*$/.test(value)) return Math.min(max, Math.max(min, Number.parseInt(value, 10)));
  throw new InvalidRequestError([
    {
      type: 'int_parsing',
      loc: ['query', name],
      msg: 'Input should be a valid integer, unable to parse string as an integer',
      ...(value.length <= 100 && { input: value }),
    },
  ]);
}
