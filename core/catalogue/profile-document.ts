import type { TargetRecord } from './catalogue.ts';

/**
 * Returns the content of `/json/v1/{path}/targets/{target}/{profile}.json`: upstream's `profiles.json` with the
 * profile's own keys in place of the target's (docs/contract.md §5). The name is taken literally, and an unknown
 * profile is `{}`.
 */
export function profileDocument(record: TargetRecord, profileId: string): Record<string, unknown> {
  const profile = Object.hasOwn(record.profiles, profileId) ? record.profiles[profileId] : undefined;
  if (profile === undefined) return {};
  return { ...record.metadata, ...profile.raw, id: profileId, build_at: buildAt(record.metadata['source_date_epoch']) };
}

/**
 * Returns `2024-09-23T12:34:46.000000Z`, with microseconds, as Python prints it. Upstream's epoch is a number or text.
 */
export function buildAt(epoch: unknown): string {
  const seconds = typeof epoch === 'number' || typeof epoch === 'string' ? Number(epoch) : 0;
  const date = new Date((Number.isFinite(seconds) ? seconds : 0) * 1000);
  return Number.isNaN(date.getTime()) ? '1970-01-01T00:00:00.000000Z' : date.toISOString().replace(/(\.\d{3})Z$/, '$1000Z');
}
