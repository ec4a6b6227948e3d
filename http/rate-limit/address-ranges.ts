import { words } from '#settings/kinds.ts';
import { parseRange } from './client-address.ts';

/** The kind of a setting that lists addresses and ranges. */
export const addressRanges = words
  .refine((texts) => texts.every((text) => parseRange(text) !== undefined), 'expected addresses or ranges such as 10.0.0.0/8 or fd00::/8')
  .default([]);
