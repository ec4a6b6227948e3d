import * as z from 'zod';

/** The part of zod's payload that a check uses: the value, and the list for its complaints. */
export type Payload<T> = z.core.ParsePayload<T>;

/** Records a failed check with the reference server's (pydantic's) error type, message and context. */
export function reject(payload: Payload<unknown>, type: string, message: string, ctx?: Record<string, unknown>): void {
  payload.issues.push({ code: 'custom', message, input: payload.value, params: ctx === undefined ? { type } : { type, ctx } });
}

/**
 * Returns a string type that must match. Without the m flag, `$` in JavaScript is the very end, so a trailing newline
 * does not match.
 */
export const word = (pattern: RegExp) =>
  z
    .string()
    .check((payload) => {
      if (!pattern.test(payload.value))
        reject(payload, 'string_pattern_mismatch', `String should match pattern '${pattern.source}'`, { pattern: pattern.source });
    })
    .meta({ pattern: pattern.source });

/** Returns the length in code points, as Python counts it. */
export const codePoints = (value: string): number => {
  let pairs = 0;
  for (let i = 0; i < value.length - 1; i++) {
    const code = value.charCodeAt(i);
    if (code >= 0xd800 && code <= 0xdbff) {
      const next = value.charCodeAt(i + 1);
      if (next >= 0xdc00 && next <= 0xdfff) pairs++;
    }
  }
  return value.length - pairs;
};

export const hasNul = (value: string): boolean => value.includes('\0');

const TRUE = new Set<unknown>([true, 1, '1', 'true', 't', 'yes', 'y', 'on']);
const FALSE = new Set<unknown>([false, 0, '0', 'false', 'f', 'no', 'n', 'off']);

/** Matches the words of the two sets above in any case, without a flag, since JSON Schema patterns have none. */
export const BOOLEAN_WORD = '^(?:1|0|[Tt](?:[Rr][Uu][Ee])?|[Ff](?:[Aa][Ll][Ss][Ee])?|[Yy](?:[Ee][Ss])?|[Nn][Oo]?|[Oo](?:[Nn]|[Ff][Ff]))$';

/**
 * The coercions of pydantic's lax mode, on which clients rely (docs/contract.md §2). Their metadata is the JSON Schema
 * of the value, and `accepts` is the schema of the input, for the OpenAPI document.
 */
export const lax = {
  boolean: () =>
    z
      .custom<boolean>()
      .overwrite((value) => {
        const key: unknown = typeof value === 'string' ? (value as string).toLowerCase() : value;
        return TRUE.has(key) ? true : FALSE.has(key) ? false : value;
      })
      .check((payload) => {
        if (typeof payload.value === 'boolean') return;
        if (typeof payload.value === 'string' || typeof payload.value === 'number')
          reject(payload, 'bool_parsing', 'Input should be a valid boolean, unable to interpret input');
        else reject(payload, 'bool_type', 'Input should be a valid boolean');
      })
      .meta({
        type: 'boolean',
        accepts: [{ type: 'boolean' }, { type: 'integer', enum: [0, 1] }, { type: 'string', pattern: BOOLEAN_WORD }],
      }),

  integer: (min: number, max: number) =>
    z
      .custom<number>()
      .overwrite((value: unknown) => {
        if (typeof value === 'boolean') return value ? 1 : 0;
        if (typeof value === 'string' && /^\s*[+-]?\d+(?:\.0*)?\s*$/.test(value)) return Number(value);
        return value as number;
      })
      .check((payload) => {
        const value: unknown = payload.value;
        if (typeof value === 'string')
          return reject(payload, 'int_parsing', 'Input should be a valid integer, unable to parse string as an integer');
        if (typeof value !== 'number') return reject(payload, 'int_type', 'Input should be a valid integer');
        if (!Number.isInteger(value))
          return reject(payload, 'int_from_float', 'Input should be a valid integer, got a number with a fractional part');
        if (value < min) return reject(payload, 'greater_than_equal', `Input should be greater than or equal to ${min}`, { ge: min });
        if (value > max) return reject(payload, 'less_than_equal', `Input should be less than or equal to ${max}`, { le: max });
      })
      .meta({
        type: 'integer',
        minimum: min,
        maximum: max,
        accepts: [
          { type: 'integer', minimum: min, maximum: max },
          { type: 'string', pattern: `^[1-9][0-9]{0,${Math.max(0, String(max).length - 2)}}$`, description: 'The same in digits.' },
          { type: 'boolean', enum: [true], description: 'Means 1.' },
        ],
      }),
};
