import { randomUUID } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { dynamoBuildSweep } from '#adapters/aws/builds/build-sweep.ts';
import { dynamoBuildTable } from '#adapters/aws/builds/build-table.ts';
import { dynamoOutdatedInputs } from '#adapters/aws/builds/outdated-inputs.ts';
import { s3ArtifactStore } from '#adapters/aws/objects/artifact-store.ts';
import { sqsBuildQueue } from '#adapters/aws/queue/build-queue.ts';
import { dynamoQueuePositions } from '#adapters/aws/queue/queue-positions.ts';
import { dynamoStatistics } from '#adapters/aws/statistics/statistics.ts';
import { BUILD_STEPS, type CancelledBuild, type QueuedBuild, type RunningBuild } from '#core/build/build.ts';
import type { BuildOrder } from '#core/build/build-order.ts';
import { type BuildStatusDeps, getBuildStatus, viewBuild } from '#core/build/build-status.ts';
import type { BuildTable, ImageMaker } from '#core/build/ports.ts';
import { runBuild } from '#core/build/run-build.ts';
import { sightings } from '#core/build/sightings.ts';
import type { Submitted } from '#core/build/submit-build.ts';
import { sweepBuilds } from '#core/build/sweep.ts';
import type { RequestHash } from '#core/request/request-hash.ts';
import { recordStatistics } from '#core/statistics/record-statistics.ts';
import { createBucket, createBuildQueue, createBuildTable, createStatisticsTable } from '#local-aws/resources/create-resources.ts';
import { RENEW_AFTER, STEPS_EVERY_MS } from '#runner/start-runner.ts';
import { freshBinDir, freshHash, sampleOrder } from '#test/contracts/sample-builds.ts';
import { scriptedImageMaker } from '#test/support/scripted-image-maker.ts';
import { simulatedTime } from '#test/support/simulated-time.ts';
import { LEASE_SECONDS } from '../../infra/lease.ts';
import { dynamoClient, s3Client, sqsClient } from './clients.ts';
import { meterCalls, meterUnits } from './meter.ts';

/** A request as owut sends it: a hundred packages, each with its version. */
const PACKAGES = Array.from({ length: 100 }, (_, i) => `package-with-a-name-${i * 7919}`);
const largeOrder = (hash: RequestHash): BuildOrder => {
  const order = sampleOrder(hash, PACKAGES);
  const packages_versions = Object.fromEntries(PACKAGES.map((name, i) => [name, `${i}.${(i * 31) % 17}-r${i % 9}`]));
  return { ...order, request: { ...order.request, packages_versions } };
};

const TIMES = { buildSeconds: 1_000, unversionedSeconds: 1_000, defaultsSeconds: 1_000, failureSeconds: 1_000 };
const NEVER = new AbortController().signal;
const now = () => new Date();

describe('what it costs on AWS', () => {
  const [client, pollClient, sqs, s3] = [dynamoClient(), dynamoClient(), sqsClient(), s3Client()];
  const [units, pollUnits, calls] = [meterUnits(client), meterUnits(pollClient), meterCalls(sqs)];
  let deps: Awaited<ReturnType<typeof compose>>;
  let polls: BuildStatusDeps;

  const compose = async (table: string) => ({
    builds: dynamoBuildTable(client, table),
    /** The same table through a client that is not metered. */
    watched: dynamoBuildTable(dynamoClient(), table),
    outdated: dynamoOutdatedInputs(client, table),
    positions: dynamoQueuePositions(client, table),
    artifacts: s3ArtifactStore(s3, await createBucket(s3)),
    queue: sqsBuildQueue(sqs, await createBuildQueue(sqsClient())),
    now,
  });
  beforeAll(async () => {
    const table = await createBuildTable(dynamoClient());
    deps = await compose(table);
    polls = {
      builds: dynamoBuildTable(pollClient, table, { reads: 'eventual' }),
      positions: dynamoQueuePositions(pollClient, table),
      artifacts: deps.artifacts,
      now,
    };
  });
  const forget = () => {
    for (const meter of [units, pollUnits, calls]) meter.take();
  };
  beforeEach(forget);

  /** Makes the calls of `submitBuild` (core/build/submit-build.ts) for a new request. */
  const submit = async (order: BuildOrder): Promise<QueuedBuild> => {
    const { requestHash: hash } = order;
    expect(await deps.builds.get(hash)).toBeUndefined();
    expect(await deps.outdated.foundAt(order.inputs)).toBeUndefined();
    await deps.positions.waiting();
    const time = now().toISOString();
    const facts = { hash, enqueuedAt: time, queuedAt: time, attempt: 0, isPrivate: false, correlationId: randomUUID() };
    const { won, current } = await deps.builds.claim({ ...facts, state: 'queued' }, order, now());
    expect(won).toBe(true);
    await deps.queue.send({ hash, correlationId: facts.correlationId });
    const sent = await deps.builds.transition(current, { ...(current as QueuedBuild), sentAt: now().toISOString() });
    expect(await viewBuild(deps, sent.current as QueuedBuild)).toMatchObject({ state: 'queued' });
    return sent.current as QueuedBuild;
  };

  /** Returns a maker that stays in each step until the row is written, which causes the most writes. */
  const slowMaker = (): ImageMaker => {
    const maker = scriptedImageMaker();
    return {
      make: async (order, binDir, progress, signal) => {
        for (const step of BUILD_STEPS.slice(1)) {
          progress.enter(step);
          await expect.poll(async () => deps.watched.get(order.requestHash)).toMatchObject({ step });
        }
        return maker.make(order, binDir, { enter: () => undefined, log: () => undefined }, signal);
      },
    };
  };
  const runNext = async (act: () => Promise<void> = async () => undefined): Promise<void> => {
    const message = await deps.queue.receive({ visibilitySeconds: 60, signal: NEVER });
    if (message === undefined) throw new Error('no message');
    const maker = slowMaker();
    const imageMaker: ImageMaker = {
      make: async (...input) => {
        const output = await maker.make(...input);
        await act();
        return output;
      },
    };
    const monotonic = () => performance.now();
    const runner = { ...deps, monotonic, imageMaker, newAttemptId: randomUUID, every: () => () => undefined, timesToLive: TIMES };
    await runBuild(runner, message, NEVER);
  };

  it('a build: at most 18 write units with a write for every step, 8 read units, 3 SQS calls', async () => {
    const order = largeOrder(freshHash());
    await submit(order);
    await runNext();
    const { writes, reads } = units.take();
    expect((await deps.watched.get(order.requestHash))?.state).toBe('done');
    console.info(`a build: ${writes} write units, ${reads} read units`);
    expect(writes).toBeLessThanOrEqual(18);
    expect(reads).toBeLessThanOrEqual(8);
    expect(calls.take()).toEqual({ SendMessage: 1, ReceiveMessage: 1, DeleteMessage: 1 });
  });

  it('a build of ten minutes with all its renewals, statistics included: at most 20 write units', async () => {
    const statistics = dynamoStatistics(client, await createStatisticsTable(dynamoClient()), now);
    const recorder = recordStatistics({ statistics, branches: () => [], now, onError: (error) => expect.unreachable(String(error)) });
    await statistics.started({ hash: freshHash(), enqueuedAt: now().toISOString() }); // the day's first entry, once a day
    forget();
    const order = largeOrder(freshHash());
    const queued = await submit(order);
    const view = { build: queued } as Submitted['view'];
    recorder.onSubmitted({ outcome: 'new', view, prepared: { resolved: order.request } as Submitted['prepared'] }, 'owut/2026.04.01');
    await recorder.flush();

    let written: Promise<unknown> = Promise.resolve();
    const time = simulatedTime(now(), async () => {
      await new Promise((resolve) => setImmediate(resolve));
      await written;
    });
    const builds: BuildTable = {
      ...deps.builds,
      transition: (...move) => {
        const moved = deps.builds.transition(...move);
        written = moved;
        return moved;
      },
    };
    const leases = new Set<string>();
    const scripted = scriptedImageMaker();
    const imageMaker: ImageMaker = {
      make: async (one, binDir, progress, signal) => {
        for (const [step, seconds] of [
          ['download_imagebuilder', 20],
          ['unpack_imagebuilder', 10],
          ['calculate_packages_hash', 0],
        ] as const) {
          progress.enter(step);
          await time.pass(seconds);
        }
        progress.enter('building_image');
        for (let passed = 30; passed < 600; passed += 30) {
          await time.pass(30);
          const row = (await deps.watched.get(order.requestHash)) as RunningBuild;
          expect(row).toMatchObject({ state: 'building', step: 'building_image' });
          expect(Date.parse(row.lease.expiresAt)).toBeGreaterThan(time.now().getTime());
          leases.add(row.lease.expiresAt);
        }
        return scripted.make(one, binDir, { enter: () => undefined, log: () => undefined }, signal);
      },
    };
    const message = await deps.queue.receive({ visibilitySeconds: LEASE_SECONDS, signal: NEVER });
    if (message === undefined) throw new Error('no message');
    const as = { leaseSeconds: LEASE_SECONDS, renewAfterSeconds: LEASE_SECONDS * RENEW_AFTER, stepsEveryMs: STEPS_EVERY_MS };
    const clocks = { now: time.now, monotonic: time.monotonic, every: time.every };
    const runner = { ...deps, ...as, ...clocks, builds, imageMaker, newAttemptId: randomUUID, timesToLive: TIMES };
    await runBuild({ ...runner, onEvent: recorder.onRunEvent }, message, NEVER);
    await recorder.flush();
    const { writes, reads } = units.take();
    console.info(`a build of ten minutes: ${writes} write units, ${reads} read units, SQS ${JSON.stringify(calls.take())}`);
    expect(await deps.watched.get(order.requestHash)).toMatchObject({ state: 'done', attempt: 1 });
    expect(leases.size).toBeGreaterThan(1);
    expect(writes).toBeLessThanOrEqual(20);
    expect(reads).toBeLessThanOrEqual(20);
  });

  it('a poll: at most 1 read unit, in every state of the build and with a queue of any length', async () => {
    const order = largeOrder(freshHash());
    const poll = async (state: string) => {
      const view = await getBuildStatus(polls, order.requestHash);
      expect(view.state).toBe(state);
      expect(pollUnits.take().reads).toBeLessThanOrEqual(1);
      return view;
    };
    const first = await submit(order);
    await poll('queued');
    await runNext(async () => {
      pollUnits.take();
      await poll('building');
    });
    pollUnits.take();
    await poll('done');

    const over = await submit(sampleOrder(freshHash()));
    const ended = { ...over, state: 'cancelled' as const, finishedAt: now().toISOString(), expiresAt: now().toISOString() };
    expect((await deps.builds.transition(over, ended)).moved).toBe(true);
    pollUnits.take();
    expect(await getBuildStatus(polls, over.hash)).toMatchObject({ state: 'cancelled' });
    // The last poll of a client needs a consistent read of the row.
    expect(pollUnits.take()).toEqual({ reads: 1.5, writes: 0 });

    for (let i = 0; i < 40; i += 1) await submit(sampleOrder(freshHash()));
    const last = sampleOrder(freshHash());
    await submit(last);
    pollUnits.take();
    expect(await getBuildStatus(polls, last.requestHash)).toMatchObject({ state: 'queued', position: 40 });
    expect(pollUnits.take()).toEqual({ reads: 1, writes: 0 });
    expect(first.ticket).toBe(3);
  });

  it('the expiry of a build: at most 9 write units', async () => {
    const name = await createBuildTable(dynamoClient());
    deps = await compose(name);
    await submit(largeOrder(freshHash()));
    await runNext();
    forget();
    let clock = Date.now();
    const seen = sightings(() => clock);
    const sweepAfter = async (seconds: number) => {
      clock += seconds * 1_000;
      const sweep = dynamoBuildSweep(dynamoClient(), name);
      return sweepBuilds({ ...deps, now: () => new Date(clock), sweep, sightings: seen, newSweepId: randomUUID, timesToLive: TIMES });
    };
    expect(await sweepAfter(1_001)).toMatchObject({ unpublished: 1, errors: [] });
    expect(await sweepAfter(400)).toMatchObject({ removed: 1, errors: [] });
    expect(units.take().writes).toBeLessThanOrEqual(9);
  });

  it('a cached request: at most 1 read unit and no write', async () => {
    const order = largeOrder(freshHash());
    const build = await submit(order);
    const lease = { owner: randomUUID(), expiresAt: now().toISOString() };
    const running = { ...build, state: 'building', startedAt: now().toISOString(), step: 'init', lease, binDir: freshBinDir() } as const;
    const { sentAt: _, queuedAt: __, ...attempt } = running;
    const taken = await deps.builds.transition(build, attempt);
    const ended = { ...build, state: 'cancelled' as const, finishedAt: now().toISOString(), expiresAt: now().toISOString() };
    expect((await deps.builds.transition(taken.current as RunningBuild, ended)).moved).toBe(true);
    forget();
    const found = await deps.builds.get(order.requestHash);
    expect(await viewBuild(deps, found as CancelledBuild)).toMatchObject({ state: 'cancelled' });
    expect(units.take()).toEqual({ reads: 1, writes: 0 });
  });
});
