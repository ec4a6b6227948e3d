const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 };

/**
 * The seconds in `7d`, `1h30m`, `90s` or a plain number of seconds, as in the reference server's settings. Anything
 * else: `undefined`.
 */
export function parseDuration(text: string): number | undefined {
  if (/^\d+$/.test(text)) return Number(text);
  const parts = [...text.toLowerCase().matchAll(/\s*(\d+)\s*([smhdw])/gy)];
  if (parts.length === 0 || parts.map(([all]) => all).join('').length !== text.trimEnd().length) return undefined;
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (UNIT_SECONDS[unit ?? ''] ?? 0), 0);
}
