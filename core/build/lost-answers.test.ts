import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sqliteBuildSweep } from '#adapters/sqlite/build-sweep.ts';
import { sqliteBuildTable } from '#adapters/sqlite/build-table.ts';
import { openSqlite } from '#adapters/sqlite/open-sqlite.ts';
import { sqliteQueuePositions } from '#adapters/sqlite/queue-positions.ts';
import { BuildNotFoundError } from '#core/errors.ts';
import { BuildFailure, InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import type { RequestHash } from '#core/request/request-hash.ts';
import type { ArtifactStore } from '#core/stores.ts';
import { freshHash, queued, running, sampleOrder } from '#test/contracts/sample-builds.ts';
import { FAULTS, type Fault, faultyCalls } from '#test/support/faulty-calls.ts';
import { memoryArtifactStore } from '#test/support/memory-artifact-store.ts';
import { scriptedImageMaker } from '#test/support/scripted-image-maker.ts';
import { simulatedQueue } from '#test/support/simulated-queue.ts';
import { artifactKeys } from './artifact-keys.ts';
import type { QueuedBuild } from './build.ts';
import { getBuildStatus } from './build-status.ts';
import { runBuild } from './run-build.ts';
import { sightings } from './sightings.ts';
import { sweepBuilds } from './sweep.ts';

const TIMES = { buildSeconds: 10_000, unversionedSeconds: 10_000, defaultsSeconds: 10_000, failureSeconds: 10_000 };
const SWEEP_EVERY_SECONDS = 10;
/** The number of deliveries after which the simulated SQS moves a message to the dead-letter queue. */
const MAX_DELIVERIES = 10;
/**
 * The longest life of a build here: three attempts and the pauses between them. Each attempt may lose its runner (a
 * lease and a sweep) or its message (a minute and a sweep).
 */
const PATIENCE_SECONDS = 500;

/** All tests share one database, because opening another takes longer than a build's whole life here. */
let db: ReturnType<typeof openSqlite>;
beforeAll(() => {
  db = openSqlite(':memory:');
});
afterAll(() => db.close());

/** The events of each attempt, from the first on; attempts beyond the list succeed. */
type Attempt = 'good' | 'bad request' | 'bad machine' | 'shutdown' | 'delivered again' | 'stopped for longer than its lease';
const SCENARIOS: Readonly<Record<string, readonly Attempt[]>> = {
  'that goes well': ['good'],
  'whose request is at fault': ['bad request'],
  'that fails twice because of the machine': ['bad machine', 'bad machine', 'good'],
  'that fails three times because of the machine': ['bad machine', 'bad machine', 'bad machine'],
  'that is handed back': ['shutdown'],
  'whose message is delivered twice before it is handed back': ['delivered again'],
  'whose runner is stopped for a while and then hands it back': ['stopped for longer than its lease'],
};

/**
 * Runs one build from its acceptance to its end. The fault hits one call of its first runner, or one of the sweeper
 * after the runner died. Returns whether there was such a call.
 */
async function live(attempts: readonly Attempt[], at: number, fault: Fault, who: 'runner' | 'sweeper' = 'runner'): Promise<boolean> {
  let clock = Date.parse('2026-11-20T12:00:00Z');
  const now = () => new Date(clock);
  const monotonic = () => clock;
  const builds = sqliteBuildTable(db);
  const queue = simulatedQueue(now, MAX_DELIVERIES);
  const artifacts = memoryArtifactStore();
  const positions = sqliteQueuePositions(db);
  const every = () => () => undefined;
  const base = { builds, queue, artifacts, now, monotonic, timesToLive: TIMES };
  const calls = faultyCalls(at, fault);
  const faulty = { ...base, builds: calls.wrap(builds), queue: calls.wrap(queue), artifacts: calls.wrap(artifacts) };
  const isKilled = () => fault === 'killed' && calls.isMet;
  const sweeping = { sweep: sqliteBuildSweep(db, monotonic), sightings: sightings(monotonic), newSweepId: randomUUID };
  let attempt = 0;

  const runNext = async (runner: typeof base) => {
    const message = await queue.receive({ visibilitySeconds: 60, signal: new AbortController().signal });
    if (message === undefined) return;
    const shutdown = new AbortController();
    const maker = scriptedImageMaker({
      act: async () => {
        const what = attempts[attempt++] ?? 'good';
        if (what === 'bad request') throw new BuildFailure('missing (vim)');
        if (what === 'bad machine') throw new InfrastructureFailure('no space left on device');
        if (what === 'delivered again') {
          queue.deliverAgain();
          await runNext(base);
        }
        if (what === 'stopped for longer than its lease') {
          clock += 61_000;
          await runNext(base);
        }
        if (what !== 'good') shutdown.abort();
      },
    });
    const deps = { ...runner, imageMaker: maker, newAttemptId: randomUUID, every };
    await runBuild(deps, message, shutdown.signal).catch(() => undefined);
  };

  const hash = freshHash();
  const accepted = { ...queued(hash), enqueuedAt: now().toISOString(), queuedAt: now().toISOString() };
  const { current } = await builds.claim(accepted, sampleOrder(hash), now());
  await queue.send({ hash, correlationId: 'test' });
  await builds.transition(current, { ...accepted, sentAt: now().toISOString() });

  if (who === 'sweeper') {
    const row = (await builds.get(hash)) as QueuedBuild;
    await builds.transition(row, running({ ...row, attempt: attempts.length - 1 }, 'a runner that died'));
    await queue.receive({ visibilitySeconds: 60, signal: new AbortController().signal });
  }

  const status = { builds, artifacts, positions, now };
  const isOver = async () => ['done', 'failed'].includes((await builds.get(hash))?.state ?? '');
  const begun = clock;
  while (!(await isOver())) {
    await runNext(who === 'runner' && !isKilled() ? faulty : base);
    await assertHonest(hash, artifacts, () => getBuildStatus(status, hash));
    clock += SWEEP_EVERY_SECONDS * 1_000;
    const swept = await sweepBuilds({ ...(who === 'sweeper' && !isKilled() ? faulty : base), ...sweeping });
    if (who === 'runner') expect(swept.errors).toEqual([]);
    expect(clock - begun, JSON.stringify(await builds.get(hash))).toBeLessThanOrEqual(PATIENCE_SECONDS * 1_000);
  }
  await calls.settle();
  await assertHonest(hash, artifacts, () => getBuildStatus(status, hash));
  // The second check sees what the reader may have published.
  await assertHonest(hash, artifacts, () => getBuildStatus(status, hash));
  return calls.isMet;
}

/** Checks that a result lists only existing files, wherever it is read, and that a failure is answered as a failure. */
async function assertHonest(hash: RequestHash, artifacts: ArtifactStore, read: () => ReturnType<typeof getBuildStatus>) {
  const view = await read().catch((error) => {
    if (error instanceof BuildNotFoundError) return undefined;
    throw error;
  });
  expect(view).toBeDefined();
  const documents = [await artifacts.read(artifactKeys.result(hash)), view?.state === 'done' ? view.document : undefined];
  for (const document of documents) {
    if (document === undefined) continue;
    const result = JSON.parse(document);
    expect(result).toMatchObject({ status: 200, detail: 'done', request_hash: hash });
    for (const { name, sha256 } of result.files) {
      const content = await artifacts.read(artifactKeys.file(result.bin_dir, name));
      expect(content, name).toBeDefined();
      expect(createHash('sha256').update(String(content)).digest('hex')).toBe(sha256);
    }
  }
  if (view?.state === 'done') expect(JSON.parse(view.document)).toMatchObject({ bin_dir: view.build.binDir });
  if (view?.state === 'failed' && view.document !== undefined)
    expect(JSON.parse(view.document)).toMatchObject({ status: 500, imagebuilder_status: 'failed', request_hash: hash });
}

describe.each(Object.entries(SCENARIOS))('a build %s', (_, attempts) => {
  it.each(FAULTS)('ends in time with the right answer, whichever call of its runner is %s', async (fault) => {
    let calls = 0;
    while (await live(attempts, calls, fault)) calls += 1;
    expect(calls).toBeGreaterThan(6);
  });
});

describe.each([
  ['and is begun again', 1],
  ['for the third time', 3],
])('a build whose runner died %s', (_, times) => {
  it.each(FAULTS)('ends in time with the right answer, whichever call of the sweeper is %s', async (fault) => {
    const attempts = Array.from({ length: times }, () => 'good' as const);
    let calls = 0;
    while (await live(attempts, calls, fault, 'sweeper')) calls += 1;
    expect(calls).toBeGreaterThan(2);
  });
});

it('a build that is handed back more often than a message is delivered ends in time', async () => {
  const handedBack = Array.from({ length: 2 * MAX_DELIVERIES }, () => 'shutdown' as const);
  expect(await live(handedBack, Number.POSITIVE_INFINITY, 'refused')).toBe(false);
});
