import * as z from 'zod';
import { withoutTrailingSlashes } from '#lib/without-trailing-slashes.ts';
import { parseDuration } from './duration.ts';

/** Kinds of settings, read from the text that the environment has. */

export const flag = z.stringbool({ truthy: ['true', '1', 'yes', 'on'], falsy: ['false', '0', 'no', 'off', ''] });

/** A duration, which the value has in seconds: `90`, `30s`, `10m`, `1h`, `7d`; more than nothing. */
export const seconds = z.string().transform((text, ctx) => {
  const value = parseDuration(text);
  if (value !== undefined && value > 0) return value;
  ctx.addIssue({ code: 'custom', message: 'expected a duration such as 30s, 10m, 1h or 7d' });
  return z.NEVER;
});

export const count = (min: number, max = Number.MAX_SAFE_INTEGER) =>
  z.string().trim().regex(/^\d+$/, 'expected a whole number').transform(Number).pipe(z.int().min(min).max(max));

export const json = z.string().transform((text, ctx): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    ctx.addIssue({ code: 'custom', message: 'expected JSON' });
    return z.NEVER;
  }
});

/** A list in JSON, or words with commas or white space between them. */
export const words = z.string().transform((text, ctx): string[] => {
  if (!text.trim().startsWith('[')) return text.split(/[\s,]+/).filter((word) => word !== '');
  const list = json.pipe(z.array(z.string())).safeParse(text);
  if (list.success) return list.data;
  ctx.addIssue({ code: 'custom', message: 'expected a list' });
  return z.NEVER;
});

/** An http or https URL, without a slash at its end. */
export const baseUrl = z.url({ protocol: /^https?$/, error: 'expected an http or https URL' }).transform(withoutTrailingSlashes);

/** The name of a resource. It has no default, since a wrong one would be worse than none. */
export const resource = z.string({ error: 'must be set' }).min(1, 'must be set');
