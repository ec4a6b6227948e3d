import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sqliteBuildSweep } from '#adapters/sqlite/build-sweep.ts';
import { sqliteBuildTable } from '#adapters/sqlite/build-table.ts';
import { openSqlite } from '#adapters/sqlite/open-sqlite.ts';
import { sqliteQueuePositions } from '#adapters/sqlite/queue-positions.ts';
import { BuildNotFoundError } from '#core/errors.ts';
import type { ArtifactStore } from '#core/stores.ts';
import { freshHash, queued, sampleOrder } from '#test/contracts/sample-builds.ts';
import { callsInterrupted } from '#test/support/calls-interrupted.ts';
import { FAULTS, faultyCalls } from '#test/support/faulty-calls.ts';
import { memoryArtifactStore } from '#test/support/memory-artifact-store.ts';
import { scriptedImageMaker } from '#test/support/scripted-image-maker.ts';
import { simulatedQueue } from '#test/support/simulated-queue.ts';
import { artifactKeys } from './artifact-keys.ts';
import { RESULT_MAX_AGE_SECONDS } from './build.ts';
import { type BuildStatusDeps, getBuildStatus } from './build-status.ts';
import { publishResult } from './publish-result.ts';
import { runBuild } from './run-build.ts';
import { sightings } from './sightings.ts';
import { sweepBuilds } from './sweep.ts';

const TTL_SECONDS = 10_000;
const TIMES = { buildSeconds: TTL_SECONDS, unversionedSeconds: TTL_SECONDS, defaultsSeconds: TTL_SECONDS, failureSeconds: TTL_SECONDS };

let db: ReturnType<typeof openSqlite>;
beforeAll(() => {
  db = openSqlite(':memory:');
});
afterAll(() => db.close());

/** Returns a world with one build that is done and published. */
async function world() {
  let clock = Date.parse('2026-11-20T12:00:00Z');
  const now = () => new Date(clock);
  const monotonic = () => clock;
  const builds = sqliteBuildTable(db);
  const queue = simulatedQueue(now);
  const artifacts = memoryArtifactStore();
  const base = { builds, queue, artifacts, now, monotonic, timesToLive: TIMES };
  const hash = freshHash();
  const accepted = { ...queued(hash), enqueuedAt: now().toISOString(), queuedAt: now().toISOString() };
  await builds.claim(accepted, sampleOrder(hash), now());
  await queue.send({ hash, correlationId: 'test' });
  const message = await queue.receive({ visibilitySeconds: 60, signal: new AbortController().signal });
  if (message === undefined) throw new Error('no message');
  const runner = { ...base, imageMaker: scriptedImageMaker(), newAttemptId: randomUUID, every: () => () => undefined };
  await runBuild(runner, message, new AbortController().signal);

  const sweeper = { ...base, sweep: sqliteBuildSweep(db, monotonic), sightings: sightings(monotonic), newSweepId: randomUUID };
  let cached: { document: string; until: number } | undefined;
  const published = () => artifacts.read(artifactKeys.result(hash));
  const status: BuildStatusDeps = { builds, artifacts, positions: sqliteQueuePositions(db), now, results: new Map<string, string>() };
  return {
    hash,
    artifacts,
    builds,
    status,
    sweeper,
    published,
    pass: (seconds: number) => {
      clock += seconds * 1_000;
    },
    sweep: async () => expect((await sweepBuilds(sweeper)).errors).toEqual([]),
    /** Checks that a published result names existing files, and so does one that a cache still holds. */
    assertWhole: async () => {
      const document = await published();
      if (document !== undefined) cached = { document, until: clock + RESULT_MAX_AGE_SECONDS * 1_000 };
      if (cached === undefined || clock >= cached.until) return;
      const { bin_dir, files } = JSON.parse(cached.document);
      for (const { name } of files) expect(await artifacts.stat(artifactKeys.file(bin_dir, name)), 'a file of the result').toBeDefined();
    },
  };
}
type World = Awaited<ReturnType<typeof world>>;

const readStatus = (w: World, deps = w.status) =>
  getBuildStatus(deps, w.hash).catch((error) => {
    if (!(error instanceof BuildNotFoundError)) throw error;
  });

/** The store as readers on AWS see it: their roles may not remove objects. */
const withoutRemoval = (artifacts: ArtifactStore): ArtifactStore => ({
  ...artifacts,
  remove: () => Promise.reject(new Error('access denied')),
});

/** Sweeps until nothing is left, and checks the result after every step. */
async function expireWholly(w: World) {
  for (let sweeps = 0; sweeps < 100 && (await w.builds.get(w.hash)) !== undefined; sweeps += 1) {
    w.pass(10);
    await w.sweep();
    await w.assertWhole();
  }
  expect(await w.builds.get(w.hash)).toBeUndefined();
  expect(await w.published()).toBeUndefined();
}

/** How long before the expiry the reader begins, and how long it is stopped at the worst moment, in seconds. */
const READERS = [
  { before: 1, stopped: 2 },
  { before: 1, stopped: 65 },
  { before: 100, stopped: 102 },
  { before: 100, stopped: 250 },
  { before: 175, stopped: 180 },
  { before: 190, stopped: 192 },
  { before: 190, stopped: 255 },
];
/**
 * A process that is stopped for longer removes again what it published. Functions on AWS may not remove it, but they end
 * after half a minute.
 */
const STOPPED_FOR_LONG = { before: 190, stopped: 5_000 };

describe.each([
  ['published', async (_: World) => undefined],
  ['not published, because its runner died', async (w: World) => void (await w.artifacts.remove(artifactKeys.result(w.hash)))],
])('a result that was %s', (_, prepare) => {
  it.each([
    ...[...READERS, STOPPED_FOR_LONG].map((times) => ({ ...times, may: 'may' })),
    ...READERS.map((times) => ({ ...times, may: 'may not' })),
  ])(
    'does not stay forever, nor without its files, when a reader that $may remove is stopped for $stopped s, $before s before the expiry',
    async ({ before, stopped, may }) => {
      for (let call = 0; ; call += 1) {
        const w = await world();
        await prepare(w);
        w.pass(TTL_SECONDS - before);
        const reader = callsInterrupted(call, async () => {
          for (let passed = 0; passed < stopped; passed += 30) {
            w.pass(Math.min(30, stopped - passed));
            await w.sweep();
            await w.assertWhole();
          }
        });
        const artifacts = reader.wrap(may === 'may' ? w.artifacts : withoutRemoval(w.artifacts));
        await readStatus(w, { ...w.status, builds: reader.wrap(w.builds), artifacts });
        await w.assertWhole();
        await expireWholly(w);
        if (!reader.isMet) break;
      }
    },
  );

  it('does not stay forever when a reader whose clock is late reads it between any two steps of the sweeper', async () => {
    for (let call = 0; ; call += 1) {
      const w = await world();
      await prepare(w);
      w.pass(TTL_SECONDS + 1);
      const lateClock = { ...w.status, now: () => new Date(w.status.now().getTime() - 40_000) };
      const sweeper = callsInterrupted(call, async () => {
        await readStatus(w, lateClock);
        await w.assertWhole();
      });
      const deps = { ...w.sweeper, builds: sweeper.wrap(w.sweeper.builds), artifacts: sweeper.wrap(w.sweeper.artifacts) };
      for (let sweeps = 0; sweeps < 4; sweeps += 1) {
        await sweepBuilds(deps);
        await w.assertWhole();
        w.pass(61);
      }
      await expireWholly(w);
      if (!sweeper.isMet) break;
    }
  });
});

it.each(FAULTS)('an expired build is removed completely and in order, whichever call of a sweeper is %s', async (fault) => {
  for (let call = 0; ; call += 1) {
    const w = await world();
    const calls = faultyCalls(call, fault);
    const deps = { ...w.sweeper, builds: calls.wrap(w.builds), artifacts: calls.wrap(w.artifacts) };
    w.pass(TTL_SECONDS + 1);
    for (let sweeps = 0; sweeps < 10; sweeps += 1) {
      await sweepBuilds(deps);
      await w.assertWhole();
      w.pass(61);
    }
    await calls.settle();
    await expireWholly(w);
    for (const prefix of ['store/', 'logs/', 'api/']) expect(await w.artifacts.remove(prefix)).toBe(0);
    if (!calls.isMet) break;
  }
});

it('a reader that remembers results never answers with an expired one, nor lets caches keep one for longer', async () => {
  const w = await world();
  expect(await readStatus(w)).toMatchObject({ state: 'done', maxAgeSeconds: 60 });
  w.pass(TTL_SECONDS - 10);
  expect(await readStatus(w)).toMatchObject({ state: 'done', maxAgeSeconds: 10 });
  w.pass(9.5);
  expect(await readStatus(w)).toMatchObject({ state: 'done', maxAgeSeconds: 0 });
  w.pass(0.5);
  expect(await readStatus(w)).toBeUndefined();
});

it('a runner that is stopped between its last write and the publication publishes no result past its expiry', async () => {
  const w = await world();
  const [document, build] = [await w.published(), await w.builds.get(w.hash)];
  expect(build?.state).toBe('done');
  await w.artifacts.remove(artifactKeys.result(w.hash));
  w.pass(TTL_SECONDS + 1);
  await expireWholly(w);
  if (build?.state !== 'done' || document === undefined) throw new Error('no result');
  await publishResult({ artifacts: w.artifacts, now: w.status.now }, build, document);
  expect(await w.published()).toBeUndefined();
});
