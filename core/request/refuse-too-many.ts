import { InvalidRequestError } from './invalid-request.ts';

/**
 * Throws `InvalidRequestError` for a list or map that has more items than it may have, before any of them is looked at: a hundred
 * thousand complaints about single items would keep the process from all others. The words are those of the schema's own check.
 */
export function refuseTooMany(body: object, most: Readonly<Record<string, number>>): void {
  for (const [field, max] of Object.entries(most)) {
    const value = (body as Readonly<Record<string, unknown>>)[field];
    if (typeof value !== 'object' || value === null) continue;
    const kind = Array.isArray(value) ? 'List' : 'Dictionary';
    const actual = Array.isArray(value) ? value.length : Object.keys(value).length;
    if (actual <= max) continue;
    throw new InvalidRequestError([
      {
        type: 'too_long',
        loc: ['body', field],
        msg: `${kind} should have at most ${max} items after validation, not ${actual}`,
        ctx: { field_type: kind, max_length: max, actual_length: actual },
      },
    ]);
  }
}
