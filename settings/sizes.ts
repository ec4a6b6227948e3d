import { count } from './kinds.ts';

const MEGABYTE = 1024 * 1024;

/** A number of megabytes, which the value has in bytes, in every configuration. */
export const megabytes = count(1, Number.MAX_SAFE_INTEGER / MEGABYTE).transform((value) => value * MEGABYTE);

/** The memory that all processes of one build may take together. */
export const buildMemory = megabytes.refine((bytes) => bytes >= 256 * MEGABYTE, 'expected at least 256').default(4 * 1024 * MEGABYTE);
