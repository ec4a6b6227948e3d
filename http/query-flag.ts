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
