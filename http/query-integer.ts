import { InvalidRequestError } from '#core/request/invalid-request.ts';

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
