import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Build, BuildState, RequestHash } from '#core/build.ts';
import type { BuildSweep } from '#core/ports.ts';
import { buildKey, buildOf, type Item } from './build-item.ts';
import { querySweepList } from './query-sweep-list.ts';
import { readItems } from './read-items.ts';
import { BUILD_TABLE } from './resources.ts';

type InState<State extends BuildState> = Extract<Build, { state: State }>;

/**
 * Reads the sweep index, which knows where to look and may be behind, and then the rows, which decide. Costs half a unit per row
 * that is under way, due, or waiting for more than a minute, never one per build there is.
 */
export function dynamoBuildSweep(client: DynamoDBClient, table: string): BuildSweep {
  const readAll = async (hashes: readonly string[]): Promise<Build[]> =>
    (
      await readItems(
        client,
        table,
        hashes.map((hash) => buildKey(hash as RequestHash)),
      )
    ).map(buildOf);
  const hashesOf = (items: readonly Item[]): string[] => items.map((item) => item[BUILD_TABLE.hashKey]?.S ?? '');

  /** `sentAt` is not in the index, where it would cost every build a write unit: the rows that wait for long are read instead. */
  const queuedBefore = async (before: Date): Promise<Build[]> =>
    readAll(hashesOf(await querySweepList(client, table, 'queued', { before })));

  /** Those of the rows that are in one of the states and whose time has come, oldest first. */
  const due = <State extends BuildState>(
    builds: readonly Build[],
    states: readonly State[],
    timeOf: (build: InState<State>) => string | undefined,
    before: Date,
    limit: number,
  ): InState<State>[] =>
    builds
      .filter((build): build is InState<State> => (states as readonly BuildState[]).includes(build.state))
      .map((build) => ({ build, time: timeOf(build) ?? '\uffff' }))
      .filter(({ time }) => time < before.toISOString())
      .sort((a, b) => (a.time < b.time ? -1 : Number(a.time > b.time)))
      .slice(0, limit)
      .map(({ build }) => build);

  return {
    async unsent(before, limit) {
      const timeOf = ({ sentAt, queuedAt }: InState<'queued'>) => (sentAt === undefined ? queuedAt : undefined);
      return due(await queuedBefore(before), ['queued'], timeOf, before, limit);
    },

    async stale(before, limit) {
      // Sent after it was queued, so queued before as well.
      return due(await queuedBefore(before), ['queued'], ({ sentAt }) => sentAt, before, limit);
    },

    async lapsed(now, limit) {
      const found = [...(await querySweepList(client, table, 'building')), ...(await querySweepList(client, table, 'expiring'))];
      return due(await readAll(hashesOf(found)), ['building', 'expiring'], ({ lease }) => lease.expiresAt, now, limit);
    },

    async expired(now, limit) {
      const found = await querySweepList(client, table, 'ended', { before: now, limit });
      return due(await readAll(hashesOf(found)), ['done', 'failed', 'cancelled'], ({ expiresAt }) => expiresAt, now, limit);
    },
  };
}
