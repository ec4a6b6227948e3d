import { InvalidRequestError } from './invalid-request.ts';

/**
 * Throws `InvalidRequestError` for a list or map with too many items, before any of them is checked: a hundred thousand
 * complaints about single items would block the process for all other requests. The text is that of the schema's own
 * check.
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
