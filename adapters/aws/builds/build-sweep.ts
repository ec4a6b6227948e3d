import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Build, BuildState } from '#core/build/build.ts';
import type { BuildSweep } from '#core/build/ports.ts';
import type { RequestHash } from '#core/request/request-hash.ts';
import { readItems } from '../clients/read-items.ts';
import { BUILD_TABLE } from '../resources.ts';
import { buildKey, buildOf, type Item } from './build-item.ts';
import { querySweepList } from './sweep-lists.ts';

/** A time that is later than any stored time. */
const END_OF_TIME = new Date('9999-12-31T23:59:59.999Z');

type InState<State extends BuildState> = Extract<Build, { state: State }>;

/**
 * Returns the sweep's lists on DynamoDB. It reads the sweep index, which may be behind, to know where to look, and then
 * the rows, which decide. That costs half a read unit per row that is being built, is due, or has waited for more than
 * a minute, and nothing for other builds.
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

  /**
   * Returns the builds that were queued before `before` or after `ahead` (a time in the future). It reads their rows,
   * because `sentAt` is not in the index, where it would cost every build a write unit.
   */
  const queuedOutside = async (before: Date, ahead: Date | undefined): Promise<Build[]> => {
    const old = await querySweepList(client, table, 'queued', { before });
    const early = ahead === undefined ? [] : await querySweepList(client, table, 'queued', { after: ahead });
    return readAll(hashesOf([...early, ...old]));
  };

  /**
   * Returns the builds that are in one of the states and are due: those dated after `ahead` first, then oldest first.
   */
  const due = <State extends BuildState>(
    builds: readonly Build[],
    states: readonly State[],
    timeOf: (build: InState<State>) => string | undefined,
    before: Date,
    limit: number,
    ahead?: Date,
  ): InState<State>[] => {
    const isAhead = (time: string) => ahead !== undefined && time > ahead.toISOString();
    return builds
      .filter((build): build is InState<State> => (states as readonly BuildState[]).includes(build.state))
      .map((build) => ({ build, time: timeOf(build) }))
      .filter((one): one is typeof one & { time: string } => one.time !== undefined)
      .filter(({ time }) => time < before.toISOString() || isAhead(time))
      .sort((a, b) => Number(isAhead(b.time)) - Number(isAhead(a.time)) || (a.time < b.time ? -1 : Number(a.time > b.time)))
      .slice(0, limit)
      .map(({ build }) => build);
  };

  return {
    async unsent(before, limit, ahead) {
      const timeOf = ({ sentAt, queuedAt }: InState<'queued'>) => (sentAt === undefined ? queuedAt : undefined);
      return due(await queuedOutside(before, ahead), ['queued'], timeOf, before, limit, ahead);
    },

    async stale(before, limit, ahead) {
      // A build is sent after it is queued, so one that was sent before `before` was queued before it as well.
      return due(await queuedOutside(before, ahead), ['queued'], ({ sentAt }) => sentAt, before, limit, ahead);
    },

    async leased(limit) {
      const found = [...(await querySweepList(client, table, 'building')), ...(await querySweepList(client, table, 'expiring'))];
      return due(await readAll(hashesOf(found)), ['building', 'expiring'], ({ lease }) => lease.expiresAt, END_OF_TIME, limit);
    },

    async expired(now, limit) {
      const found = await querySweepList(client, table, 'ended', { before: now, limit });
      return due(await readAll(hashesOf(found)), ['done', 'failed', 'cancelled'], ({ expiresAt }) => expiresAt, now, limit);
    },
  };
}
