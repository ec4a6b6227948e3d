import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { sqliteBuildQueue } from '#adapters/sqlite/build-queue.ts';
import { sqliteBuildSweep } from '#adapters/sqlite/build-sweep.ts';
import { sqliteBuildTable } from '#adapters/sqlite/build-table.ts';
import { openSqlite } from '#adapters/sqlite/open-sqlite.ts';
import { at, freshHash, queued, sampleOrder } from '#test/contracts/sample-builds.ts';
import { memoryArtifactStore } from '#test/support/memory-artifact-store.ts';
import { sightings } from './sightings.ts';
import { sweepBuilds } from './sweep.ts';

/** The number of messages that a sweep at minute 0 sends for a build that is to be tried again after `pauseMinutes`. */
async function sentDuringPause(pauseMinutes: number, longestPauseSeconds?: number): Promise<number> {
  const db = openSqlite(':memory:');
  const builds = sqliteBuildTable(db);
  const hash = freshHash();
  await builds.claim(queued(hash, pauseMinutes), sampleOrder(hash), at(0));
  const monotonic = () => 0;
  const { sent } = await sweepBuilds({
    builds,
    sweep: sqliteBuildSweep(db, monotonic),
    queue: sqliteBuildQueue(db),
    artifacts: memoryArtifactStore(),
    now: () => at(0),
    sightings: sightings(monotonic),
    newSweepId: randomUUID,
    timesToLive: { buildSeconds: 600, unversionedSeconds: 600, defaultsSeconds: 600, failureSeconds: 600 },
    ...(longestPauseSeconds !== undefined && { longestPauseSeconds }),
  });
  db.close();
  return sent;
}

it('leaves a build alone that pauses before its next attempt, however long the operator wants the pause', async () => {
  expect(await sentDuringPause(10, 600)).toBe(0);
});

it('sends a build whose time in the queue begins later than any pause allows: a clock has been set back since', async () => {
  expect(await sentDuringPause(60)).toBe(1);
  expect(await sentDuringPause(60, 600)).toBe(1);
});
