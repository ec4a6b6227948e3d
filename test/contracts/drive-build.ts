import { expect } from 'vitest';
import type { Build, BuildState, ExpiringBuild, QueuedBuild, RunningBuild } from '#core/build/build.ts';
import type { BuildTable } from '#core/build/ports.ts';
import type { RequestHash } from '#core/request/request-hash.ts';
import { at, cancelled, done, expiring, failed, freshHash, queued, running, sampleOrder } from './sample-builds.ts';

/** Claims a new row and returns it as the table has it, ticket included. */
export async function claimed(table: BuildTable, hash: RequestHash = freshHash(), minutes = 0): Promise<QueuedBuild> {
  const { won, current } = await table.claim(queued(hash, minutes), sampleOrder(hash), at(minutes));
  expect(won).toBe(true);
  return current as QueuedBuild;
}

/** Makes a transition that must succeed, and returns the row as the table has it. */
export async function moved<To extends Build>(table: BuildTable, from: Build, to: To): Promise<To> {
  const answer = await table.transition(from, to);
  expect(answer.moved).toBe(true);
  return answer.current as To;
}

export const started = async (table: BuildTable, owner: string, hash?: RequestHash, leaseMinutes?: number): Promise<RunningBuild> => {
  const build = await claimed(table, hash);
  return moved(table, build, running(build, owner, leaseMinutes));
};

/** Returns a row in the given state, reached by allowed transitions only. `expiresMinutes` is used for finished ones. */
export async function rowIn(table: BuildTable, state: BuildState, owner = 'owner', expiresMinutes = 100): Promise<Build> {
  if (state === 'expiring') return expiringRow(table, owner);
  const build = await claimed(table);
  switch (state) {
    case 'queued':
      return build;
    case 'building':
      return moved(table, build, running(build, owner));
    case 'done': {
      const attempt = await moved(table, build, running(build, owner));
      return moved(table, attempt, done(attempt, expiresMinutes));
    }
    case 'failed':
      return moved(table, build, failed(build, true, expiresMinutes));
    case 'cancelled':
      return moved(table, build, cancelled(build, expiresMinutes));
  }
}

export async function expiringRow(table: BuildTable, owner: string, leaseMinutes?: number): Promise<ExpiringBuild> {
  const build = await claimed(table);
  const over = await moved(table, build, cancelled(build));
  return moved(table, over, expiring(over, owner, leaseMinutes));
}
