import { brotliCompressSync, brotliDecompressSync } from 'node:zlib';

const DAY_MS = 86_400_000;
/** The least age of laid-out data. By then all leases have lapsed, and the sweeper no longer waits for anything. */
const LEAST_AGE_MS = 3_600_000;

/** The number of days by which a recording's times move, so that it ends between 1 and 25 hours before `now`. */
export const daysSince = (recordedAt: string, now: Date): number =>
  Math.floor((now.getTime() - LEAST_AGE_MS - Date.parse(recordedAt)) / DAY_MS);

/** The day in `2026-11-28T15:56:04.649Z`, the form in which builds write times; no other text of theirs has it. */
const INSTANT = /\b\d{4}-\d{2}-\d{2}(?=T\d{2}:\d{2}:\d{2}\.\d{3}Z)/g;
/** The day in `2026-11-28`, `2026-11-28T15` and longer forms, in which statistics write times. */
const DAY = /(?<![\w-])\d{4}-\d{2}-\d{2}(?![\d-])/g;

const shiftedDay = (day: string, days: number): string => new Date(Date.parse(day) + days * DAY_MS).toISOString().slice(0, 10);

/** The text with its times moved. Other words that look like days, such as versions, stay. */
export const shiftInstants = (text: string, days: number): string => text.replace(INSTANT, (day) => shiftedDay(day, days));

/** The text with everything moved that looks like a day. */
export const shiftAllDays = (text: string, days: number): string => text.replace(DAY, (day) => shiftedDay(day, days));

export const shiftMilliseconds = (time: number, days: number): number => time + days * DAY_MS;

export const shiftSeconds = (time: number, days: number): number => time + (days * DAY_MS) / 1000;

/** The same for a text that is stored compressed. */
export const shiftPacked = (bytes: Uint8Array, days: number): Buffer =>
  brotliCompressSync(shiftAllDays(brotliDecompressSync(bytes).toString('utf8'), days));
