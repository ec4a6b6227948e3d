import { createHash, randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { diskArtifactStore } from '#adapters/disk/artifact-store.ts';
import { sqliteBuildQueue } from '#adapters/sqlite/build-queue.ts';
import { sqliteBuildSweep } from '#adapters/sqlite/build-sweep.ts';
import { sqliteBuildTable } from '#adapters/sqlite/build-table.ts';
import { openSqlite } from '#adapters/sqlite/open-sqlite.ts';
import { sqliteQueuePositions } from '#adapters/sqlite/queue-positions.ts';
import { BuildNotFoundError, StorageFullError } from '#core/errors.ts';
import { BuildFailure, type FailureEvidence, InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import { buildRequestParser } from '#core/request/parse-build-request.ts';
import type { BinDir, RequestHash } from '#core/request/request-hash.ts';
import type { ArtifactStore } from '#core/stores.ts';
import { type Script, scriptedImageMaker } from '#test/support/scripted-image-maker.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { artifactKeys } from './artifact-keys.ts';
import { MAX_ATTEMPTS } from './attempt.ts';
import { type Build, type BuildState, type FailedBuild, isReplaceable, type QueuedBuild } from './build.ts';
import type { BuildOrder } from './build-order.ts';
import { getBuildStatus } from './build-status.ts';
import type { BuildTable, ReceivedMessage } from './ports.ts';
import { runBuild } from './run-build.ts';
import type { RunEvent } from './run-event.ts';
import { sightings } from './sightings.ts';
import { sweepBuilds } from './sweep.ts';

const TIMES = { buildSeconds: 1_000, unversionedSeconds: 1_000, defaultsSeconds: 100, failureSeconds: 500 };
const NEVER = new AbortController().signal;

let directory: string;
let clock: number;
/** The milliseconds by which a test has set the time of day. */
let set: number;
beforeEach(async () => {
  directory = await temporaryDirectory();
  clock = Date.parse('2026-11-20T12:00:00Z');
  set = 0;
});

const now = () => new Date(clock + set);
const monotonic = () => clock;
const pass = (seconds: number) => {
  clock += seconds * 1_000;
};

function world(script: Script = {}, wrap: (store: ArtifactStore) => ArtifactStore = (store) => store) {
  const db = openSqlite(':memory:');
  const builds = sqliteBuildTable(db);
  const queue = sqliteBuildQueue(db, { pollMs: 5 });
  const artifacts = wrap(diskArtifactStore(directory));
  const imageMaker = scriptedImageMaker(script);
  const events: RunEvent[] = [];
  const renewals: (() => void)[] = [];
  const every = (_: number, call: () => void) => {
    renewals.push(call);
    return () => undefined;
  };
  const base = { builds, queue, artifacts, now, monotonic, timesToLive: TIMES };
  const runner = { ...base, imageMaker, newAttemptId: () => randomUUID(), every, onEvent: (event: RunEvent) => events.push(event) };
  const sweeper = { ...base, sweep: sqliteBuildSweep(db, monotonic), sightings: sightings(monotonic), newSweepId: () => randomUUID() };
  const status = { builds, artifacts, positions: sqliteQueuePositions(db), now };
  return {
    ...base,
    runner,
    imageMaker,
    events,
    renewals,
    sweep: () => sweepBuilds(sweeper),
    view: (hash: RequestHash) => getBuildStatus(status, hash),
    receive: () => queue.receive({ visibilitySeconds: 60, signal: AbortSignal.timeout(2_000) }),
  };
}

async function accept({ builds, queue }: ReturnType<typeof world>, options: { isPrivate?: boolean } = {}): Promise<RequestHash> {
  const hash = createHash('sha256').update(randomUUID()).digest('hex') as RequestHash;
  const at = now().toISOString();
  const build: QueuedBuild = {
    state: 'queued',
    hash,
    enqueuedAt: at,
    queuedAt: at,
    attempt: 0,
    isPrivate: options.isPrivate ?? false,
    correlationId: 'test',
  };
  const order: BuildOrder = {
    requestHash: hash,
    request: buildRequestParser()({ version: '24.10.2', target: 'ath79/generic', profile: 'test', packages: ['vim'] }),
    versionPath: 'releases/24.10.2',
    arch: 'mips_24kc',
    revision: 'r28739-d9340319c6',
    imagebuilder: { name: 'openwrt-imagebuilder.tar.zst', sha256: '0'.repeat(64) },
    inputs: '0'.repeat(64),
  };
  await builds.claim(build, order, now());
  await queue.send({ hash, correlationId: 'test' });
  return hash;
}

async function runNext(w: ReturnType<typeof world>, shutdown: AbortSignal = NEVER): Promise<void> {
  const message = await w.receive();
  if (message === undefined) throw new Error('no message');
  await runBuild(w.runner, message, shutdown);
}

/** Waits for the last step, after which only renewals write the row: the scripted image maker enters all steps at once. */
const isInLastStep = (w: ReturnType<typeof world>, hash: RequestHash) =>
  expect.poll(() => w.builds.get(hash)).toMatchObject({ state: 'building', step: 'building_image' });

describe('a build', () => {
  it('ends done, with all its files readable and matching their sha256', async () => {
    const w = world();
    const hash = await accept(w);
    await runNext(w);
    const view = await w.view(hash);
    if (view.state !== 'done') throw new Error(view.state);
    const result = JSON.parse(view.document);
    expect(result).toMatchObject({
      status: 200,
      detail: 'done',
      imagebuilder_status: 'done',
      request_hash: hash,
      bin_dir: view.build.binDir,
      id: 'test',
    });
    for (const { name, sha256 } of result.images) {
      const content = await w.artifacts.read(`store/${result.bin_dir}/${name}`);
      expect(
        createHash('sha256')
          .update(content ?? '')
          .digest('hex'),
      ).toBe(sha256);
    }
    expect(await w.artifacts.read(artifactKeys.result(hash))).toBe(view.document);
    expect(w.events.filter(({ type }) => type === 'step')).toHaveLength(5);
    expect(w.events.at(-1)?.type).toBe('done');
  });

  it.each([
    [true, 'private, no-store'],
    [false, 'public, max-age=31536000, immutable'],
  ])('with defaults (%s) has images that caches treat as %s', async (isPrivate, cacheControl) => {
    const w = world();
    const hash = await accept(w, { isPrivate });
    await runNext(w);
    const view = await w.view(hash);
    if (view.state !== 'done') throw new Error(view.state);
    const { images } = JSON.parse(view.document) as { images: { name: string }[] };
    expect(images.length).toBeGreaterThan(0);
    for (const { name } of images)
      expect((await w.artifacts.stat(artifactKeys.file(view.build.binDir, name)))?.meta.cacheControl).toBe(cacheControl);
  });

  it('writes steps no more often than the setting says, and always the last one', async () => {
    const stepOf = async (hash: RequestHash) => {
      const build = await w.builds.get(hash);
      return build?.state === 'building' ? build.step : build?.state;
    };
    const w = world({
      act: async ({ requestHash }) => {
        expect(await stepOf(requestHash)).toBe('init');
        w.renewals[0]?.();
        await expect.poll(() => stepOf(requestHash)).toBe('building_image');
      },
    });
    const hash = await accept(w);
    const message = await w.receive();
    if (message === undefined) throw new Error('no message');
    await runBuild({ ...w.runner, stepsEveryMs: 2_000 }, message, NEVER);
    expect(await stepOf(hash)).toBe('done');
    expect(w.events.filter(({ type }) => type === 'step')).toHaveLength(5);
  });

  it('is not done twice when its message arrives twice', async () => {
    const w = world();
    const hash = await accept(w);
    await w.queue.send({ hash, correlationId: 'test' });
    await runNext(w);
    await runNext(w);
    expect(w.imageMaker.begun).toEqual([hash]);
  });

  it('that fails for good is remembered as failed, and not tried again', async () => {
    const w = world({
      act: () => {
        throw new BuildFailure('Impossible package selection: missing (vim)', { stderr: 'no vim' });
      },
    });
    const hash = await accept(w);
    await runNext(w);
    const view = await w.view(hash);
    if (view.state !== 'failed') throw new Error(view.state);
    expect(view.build).toMatchObject({ cached: true, attempt: 1, detail: 'Error: Impossible package selection: missing (vim)' });
    expect(JSON.parse(view.document ?? '')).toMatchObject({
      status: 500,
      stderr: 'no vim',
      imagebuilder_status: 'failed',
      request_hash: hash,
    });
  });

  it(`is tried ${MAX_ATTEMPTS} times when the machine is at fault, then failed, not remembered, and its message buried`, async () => {
    const w = world({
      act: () => {
        throw new InfrastructureFailure('no space left on device');
      },
    });
    const hash = await accept(w);
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      if (attempt > 1)
        expect(await w.builds.get(hash)).toMatchObject({
          state: 'queued',
          attempt: attempt - 1,
          lastFailure: 'Error: no space left on device',
        });
      await w.queue.send({ hash, correlationId: 'test' });
      await runNext(w);
    }
    expect(await w.builds.get(hash)).toMatchObject({ state: 'failed', cached: false, attempt: MAX_ATTEMPTS });
    expect(w.imageMaker.begun).toHaveLength(MAX_ATTEMPTS);
  });

  it.each([
    ['of the request', (evidence: FailureEvidence) => new BuildFailure('missing (vim)', evidence)],
    ['of the machine', (evidence: FailureEvidence) => new InfrastructureFailure('broken', { evidence, isFinal: true })],
  ])('that ends by a fault %s keeps its whole log, and releases what it held', async (_, failure) => {
    const logPath = join(directory, 'its.log');
    await writeFile(logPath, 'the whole story\n');
    let disposals = 0;
    const dispose = async () => {
      disposals++;
    };
    const w = world({
      act: () => {
        throw failure({ logPath, dispose });
      },
    });
    const hash = await accept(w);
    await runBuild(w.runner, (await w.receive()) as ReceivedMessage, NEVER);
    const build = (await w.builds.get(hash)) as FailedBuild;
    expect(await w.artifacts.read(artifactKeys.log(build.binDir as BinDir))).toBe('the whole story\n');
    expect(await w.artifacts.read(artifactKeys.failure(build.binDir as BinDir))).not.toContain('its.log');
    expect(disposals).toBe(1);
  });

  it('releases what a failed attempt held, also when it is tried again', async () => {
    let disposals = 0;
    const w = world({
      act: () => {
        throw new InfrastructureFailure('broken', {
          evidence: {
            logPath: join(directory, 'absent.log'),
            dispose: async () => {
              disposals++;
            },
          },
        });
      },
    });
    const hash = await accept(w);
    await runBuild(w.runner, (await w.receive()) as ReceivedMessage, NEVER);
    expect(await w.builds.get(hash)).toMatchObject({ state: 'queued', attempt: 1 });
    expect(disposals).toBe(1);
  });

  it('whose inputs are gone is failed at once and not remembered', async () => {
    const w = world({
      act: () => {
        throw new InfrastructureFailure('ImageBuilder is gone', { isFinal: true });
      },
    });
    const hash = await accept(w);
    await runNext(w);
    expect(await w.builds.get(hash)).toMatchObject({ state: 'failed', cached: false, attempt: 1 });
  });

  it('is handed back on shutdown, the attempt not counted, and done by the next runner', async () => {
    const shutdown = new AbortController();
    let times = 0;
    const w = world({
      act: (_, signal) => {
        if (times++ > 0) return;
        shutdown.abort();
        signal.throwIfAborted();
      },
    });
    const hash = await accept(w);
    await runNext(w, shutdown.signal);
    expect(await w.builds.get(hash)).toMatchObject({ state: 'queued', attempt: 0 });
    await runNext(w);
    expect(await w.builds.get(hash)).toMatchObject({ state: 'done', attempt: 1 });
  });

  it('of a lost runner goes back to the queue, and every write of the old runner is refused', async () => {
    let release = () => undefined as undefined;
    const held = new Promise<void>((resolve) => {
      release = () => resolve() as undefined;
    });
    let times = 0;
    const w = world({ act: () => (times++ === 0 ? held : undefined) });
    const hash = await accept(w);
    const lost = runNext(w);
    await expect.poll(() => w.imageMaker.begun.length).toBe(1);
    await isInLastStep(w, hash);
    const first = (await w.builds.get(hash)) as Extract<Build, { state: 'building' }>;

    await w.sweep();
    pass(60);
    expect(await w.sweep()).toMatchObject({ returned: 1 });
    await runNext(w);
    const done = (await w.view(hash)) as { document: string };
    release();
    await lost;
    expect(((await w.view(hash)) as { document: string }).document).toBe(done.document);
    expect(await w.builds.get(hash)).toMatchObject({ state: 'done', attempt: 2 });
    expect(await w.artifacts.stat(`store/${first.binDir}/openwrt-24.10.2-test-squashfs-sysupgrade.bin`)).toBeUndefined();
    expect(w.events.map(({ type }) => type)).toContain('lost');
  });

  it('ends itself when a renewal shows that the lease is gone', async () => {
    const w = world({
      act: (_, signal) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    });
    const hash = await accept(w);
    const running = runNext(w);
    await isInLastStep(w, hash);
    await w.sweep();
    pass(60);
    await w.sweep();
    for (const renew of w.renewals) renew();
    await running;
    expect(w.events.at(-1)?.type).toBe('lost');
  });

  it.each([
    ['back', -3_600],
    ['forward', 3_600],
  ])('is neither taken from its runner nor kept for a lost one when the clock is set an hour %s', async (_, seconds) => {
    const w = world({ act: () => new Promise(() => undefined) });
    const hash = await accept(w);
    void runNext(w);
    await isInLastStep(w, hash);
    set += seconds * 1_000;
    for (let look = 0; look < 5; look += 1) {
      expect(await w.sweep()).toMatchObject({ returned: 0, errors: [] });
      const before = JSON.stringify(await w.builds.get(hash));
      pass(30);
      for (const renew of w.renewals) renew();
      await expect.poll(async () => JSON.stringify(await w.builds.get(hash))).not.toBe(before);
    }
    expect(await w.sweep()).toMatchObject({ returned: 0 });
    pass(60);
    expect(await w.sweep()).toMatchObject({ returned: 1 });
    expect(await w.builds.get(hash)).toMatchObject({ state: 'queued', attempt: 1 });
  });

  it('that kills every runner is failed after the last attempt, with the reason', async () => {
    const w = world({ act: () => new Promise(() => undefined) });
    const hash = await accept(w);
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const message = await w.receive();
      if (message === undefined) throw new Error('no message');
      void runBuild(w.runner, message, NEVER);
      await isInLastStep(w, hash);
      await w.sweep();
      pass(60);
      await w.sweep();
    }
    expect(await w.builds.get(hash)).toMatchObject({ state: 'failed', cached: false, detail: expect.stringContaining('3 times') });
  });

  it('that is private and kills every runner is remembered for as long as other failures of private builds', async () => {
    const w = world({ act: () => new Promise(() => undefined) });
    const hash = await accept(w, { isPrivate: true });
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const message = await w.receive();
      if (message === undefined) throw new Error('no message');
      void runBuild(w.runner, message, NEVER);
      await isInLastStep(w, hash);
      await w.sweep();
      pass(60);
      await w.sweep();
    }
    const failed = (await w.builds.get(hash)) as FailedBuild;
    expect(failed.state).toBe('failed');
    expect(Date.parse(failed.expiresAt) - Date.parse(failed.finishedAt)).toBe(TIMES.defaultsSeconds * 1_000);
  });

  it('whose result could not be published is still answered, and published by the next read', async () => {
    let isFull = true;
    const w = world({}, (store) => ({
      ...store,
      put: (key, ...rest) => (isFull && key.startsWith('api/') ? Promise.reject(new Error('ENOSPC')) : store.put(key, ...rest)),
    }));
    const hash = await accept(w);
    await runNext(w);
    expect((await w.view(hash)).state).toBe('done');
    isFull = false;
    const view = (await w.view(hash)) as { document: string };
    expect(await w.artifacts.read(artifactKeys.result(hash))).toBe(view.document);
  });

  it('that cannot be stored is tried again, and nothing of the failed attempt is left', async () => {
    let isFull = true;
    const w = world({}, (store) => ({
      ...store,
      putFile: (...file) => (isFull ? Promise.reject(new StorageFullError('images')) : store.putFile(...file)),
    }));
    const hash = await accept(w);
    await runNext(w);
    expect(await w.builds.get(hash)).toMatchObject({ state: 'queued', attempt: 1, lastFailure: expect.stringContaining('disk is full') });
    isFull = false;
    await w.queue.send({ hash, correlationId: 'test' });
    await runNext(w);
    expect(await w.builds.get(hash)).toMatchObject({ state: 'done' });
  });

  it('that could not be ended after its files were stored leaves nothing of the attempt, its result neither', async () => {
    const w = world();
    const hash = await accept(w);
    let binDir: BinDir | undefined;
    let isDown = false;
    const down = () => Promise.reject(new Error('table is down'));
    const builds: BuildTable = {
      ...w.builds,
      // The write that ends the build fails, and so does the look whether it succeeded.
      transition: (from, to, options) => {
        if (to.state !== 'done') return w.builds.transition(from, to, options);
        binDir = to.binDir;
        isDown = true;
        return down();
      },
      get: (asked, options) => {
        if (!isDown) return w.builds.get(asked, options);
        isDown = false;
        return down();
      },
    };
    const message = await w.receive();
    await runBuild({ ...w.runner, builds }, message as ReceivedMessage, NEVER);
    expect((await w.builds.get(hash))?.state).toBe('queued');
    expect(binDir).toBeDefined();
    for (const prefix of [artifactKeys.files(binDir as BinDir), artifactKeys.records(binDir as BinDir)])
      expect(await w.artifacts.remove(prefix)).toBe(0);
  });

  it('that cannot store one file leaves none of the others, not even those still being stored', async () => {
    const puts: Promise<void>[] = [];
    const w = world({}, (store) => ({
      ...store,
      putFile: (key, path, meta) => {
        // The first upload meets a full disk; the others are slow and ignore the signal.
        const isFirst = puts.length === 0;
        const put = isFirst
          ? Promise.reject(new StorageFullError('the files of builds'))
          : delay(20).then(() => store.putFile(key, path, meta));
        puts.push(put);
        return put;
      },
    }));
    const make: typeof w.imageMaker.make = async (...build) => {
      const output = await w.imageMaker.make(...build);
      return { ...output, files: output.files.flatMap((file) => ['a', 'b', 'c', 'd'].map((name) => ({ ...file, name }))) };
    };
    const hash = await accept(w);
    await runNext({ ...w, runner: { ...w.runner, imageMaker: { ...w.imageMaker, make } } });
    await Promise.allSettled(puts);
    expect(puts.length).toBeGreaterThan(1);
    expect(await w.artifacts.remove('store/')).toBe(0);
    expect(await w.builds.get(hash)).toMatchObject({
      state: 'queued',
      lastFailure: "Error: The server's disk is full: no room for the files of builds, please try again later",
    });
  });
});

describe('a write that succeeds but is not answered', () => {
  /** Returns a table that loses the answer to the first transition into each of the states. */
  const losing = (builds: BuildTable, ...states: BuildState[]): BuildTable => ({
    ...builds,
    transition: async (from, to, options) => {
      const moved = await builds.transition(from, to, options);
      const at = states.indexOf(to.state);
      if (at === -1) return moved;
      states.splice(at, 1);
      throw new Error('socket hang up');
    },
  });
  const run = async (w: ReturnType<typeof world>, builds: BuildTable, shutdown = NEVER) => {
    const message = await w.receive();
    if (message === undefined) throw new Error('no message');
    await runBuild({ ...w.runner, builds }, message, shutdown);
  };

  it('still begins and ends the build: once, with its result published and its message acknowledged', async () => {
    const w = world();
    const hash = await accept(w);
    await run(w, losing(w.builds, 'building', 'done'));
    expect(await w.builds.get(hash)).toMatchObject({ state: 'done', attempt: 1 });
    expect(w.imageMaker.begun).toEqual([hash]);
    expect(w.events.at(-1)?.type).toBe('done');
    expect(JSON.parse((await w.artifacts.read(artifactKeys.result(hash))) ?? '')).toMatchObject({ status: 200, request_hash: hash });
    expect(await w.queue.receive({ visibilitySeconds: 1, signal: AbortSignal.timeout(50) })).toBeUndefined();
  });

  it('still fails the build, with its output', async () => {
    const w = world({
      act: () => {
        throw new BuildFailure('missing (vim)', { stderr: 'no vim' });
      },
    });
    const hash = await accept(w);
    await run(w, losing(w.builds, 'failed'));
    expect(w.events.at(-1)?.type).toBe('failed');
    const view = await w.view(hash);
    expect(view.state === 'failed' && JSON.parse(view.document ?? '')).toMatchObject({ status: 500, stderr: 'no vim' });
  });

  it('still hands the build back, at once', async () => {
    const shutdown = new AbortController();
    const w = world({ act: () => shutdown.abort() });
    const hash = await accept(w);
    await run(w, losing(w.builds, 'queued'), shutdown.signal);
    expect(w.events.at(-1)?.type).toBe('handed-back');
    await runNext(w);
    expect(await w.builds.get(hash)).toMatchObject({ state: 'done', attempt: 1 });
  });

  it('is never followed by another write while no answer shows whether it succeeded', async () => {
    const w = world({
      act: () => {
        isAway = true;
      },
    });
    let isAway = false;
    const away = () => Promise.reject(new Error('connection refused'));
    const builds: BuildTable = {
      ...w.builds,
      get: (...read) => (isAway ? away() : w.builds.get(...read)),
      transition: async (...move) => {
        const moved = await w.builds.transition(...move);
        return isAway ? away() : moved;
      },
    };
    const hash = await accept(w);
    await expect(run(w, builds)).rejects.toThrow('connection refused');
    const build = (await w.builds.get(hash)) as Extract<Build, { state: 'done' }>;
    expect(build.state).toBe('done');
    expect(await w.artifacts.read(artifactKeys.failure(build.binDir))).toBeUndefined();
    expect((await w.view(hash)).state).toBe('done');
  });
});

describe('a message', () => {
  it('of a queued build whose order is lost ends the build, and clients may ask for it again', async () => {
    const w = world();
    const hash = await accept(w);
    const message = await w.receive();
    if (message === undefined) throw new Error('no message');
    await runBuild({ ...w.runner, builds: { ...w.builds, order: async () => undefined } }, message, NEVER);
    const build = await w.builds.get(hash);
    expect(build).toMatchObject({ state: 'failed', cached: false, detail: expect.stringContaining('ask again') });
    expect(build && isReplaceable(build, now())).toBe(true);
    expect(w.events.map(({ type }) => type)).toEqual(['failed']);
  });

  it('of a private build whose order is lost ends the build, for as long as other failures of private builds', async () => {
    const w = world();
    const hash = await accept(w, { isPrivate: true });
    const message = await w.receive();
    if (message === undefined) throw new Error('no message');
    await runBuild({ ...w.runner, builds: { ...w.builds, order: async () => undefined } }, message, NEVER);
    const failed = (await w.builds.get(hash)) as FailedBuild;
    expect(Date.parse(failed.expiresAt) - Date.parse(failed.finishedAt)).toBe(TIMES.defaultsSeconds * 1_000);
  });

  it('of a build that pauses before its next attempt is not sent again within the pause', async () => {
    const w = world({
      act: () => {
        throw new InfrastructureFailure('upstream is away');
      },
    });
    const hash = await accept(w);
    const message = await w.receive();
    if (message === undefined) throw new Error('no message');
    await runBuild({ ...w.runner, retryDelaysSeconds: [600] }, message, NEVER);
    pass(600);
    expect(await w.sweep()).toMatchObject({ sent: 0 });
    pass(61);
    expect(await w.sweep()).toMatchObject({ sent: 1 });
    expect(await w.builds.get(hash)).toMatchObject({ state: 'queued', sentAt: now().toISOString() });
  });
});

describe('expiry', () => {
  it('removes the document first, the objects after its max-age, the row last', async () => {
    const w = world();
    const hash = await accept(w);
    await runNext(w);
    const { binDir } = (await w.builds.get(hash)) as Extract<Build, { state: 'done' }>;
    const image = `store/${binDir}/openwrt-24.10.2-test-squashfs-sysupgrade.bin`;

    pass(TIMES.buildSeconds + 1);
    expect(await w.sweep()).toMatchObject({ unpublished: 1, removed: 0 });
    await expect(w.view(hash)).rejects.toBeInstanceOf(BuildNotFoundError);
    expect(await w.artifacts.read(artifactKeys.result(hash))).toBeUndefined();
    expect(await w.artifacts.stat(image)).toBeDefined();

    pass(30);
    expect(await w.sweep()).toMatchObject({ removed: 0 });
    expect(await w.artifacts.stat(image)).toBeDefined();

    pass(31);
    expect(await w.sweep()).toMatchObject({ removed: 1 });
    expect(await w.artifacts.stat(image)).toBeUndefined();
    expect(await w.builds.get(hash)).toBeUndefined();
  });

  it('comes sooner for builds with defaults', async () => {
    const w = world();
    const hash = await accept(w, { isPrivate: true });
    await runNext(w);
    pass(TIMES.defaultsSeconds + 1);
    expect(await w.sweep()).toMatchObject({ unpublished: 1 });
    await expect(w.view(hash)).rejects.toBeInstanceOf(BuildNotFoundError);
  });

  it('of a build that is requested again does not touch the new build', async () => {
    const w = world();
    const hash = await accept(w);
    await runNext(w);
    const order = await w.builds.order(hash);
    if (order === undefined) throw new Error('no order');
    pass(TIMES.buildSeconds + 1);
    await w.sweep();
    const again = {
      state: 'queued',
      hash,
      enqueuedAt: now().toISOString(),
      queuedAt: now().toISOString(),
      attempt: 0,
      isPrivate: false,
      correlationId: 'b',
    } as const;
    expect((await w.builds.claim(again, order, now(), { over: await w.builds.get(hash) })).won).toBe(true);
    await w.queue.send({ hash, correlationId: 'b' });
    await runNext(w);
    pass(120);
    await w.sweep();
    expect((await w.view(hash)).state).toBe('done');
  });
});

describe('the sweeper', () => {
  it('sends a message that was never sent, once', async () => {
    const w = world();
    const hash = await accept(w);
    const message = await w.receive();
    if (message !== undefined) await w.queue.acknowledge(message);
    expect(await w.sweep()).toMatchObject({ sent: 0 });
    pass(61);
    expect(await w.sweep()).toMatchObject({ sent: 1 });
    expect(await w.sweep()).toMatchObject({ sent: 0 });
    await runNext(w);
    expect((await w.view(hash)).state).toBe('done');
  });

  it('sends messages again at once when the clock was set back to before they were due', async () => {
    const w = world();
    const [unsent, stale] = [await accept(w), await accept(w)];
    for (const _ of [unsent, stale]) await w.queue.acknowledge((await w.receive()) as ReceivedMessage);
    const row = (await w.builds.get(stale)) as QueuedBuild;
    await w.builds.transition(row, { ...row, sentAt: now().toISOString() });
    expect(await w.sweep()).toMatchObject({ sent: 0 });
    set -= 3_600_000;
    expect(await w.sweep()).toMatchObject({ sent: 2 });
    expect(await w.sweep()).toMatchObject({ sent: 0 });
    for (const _ of [unsent, stale]) await runNext(w);
    for (const hash of [unsent, stale]) expect((await w.view(hash)).state).toBe('done');
  });

  it.each([
    ['back', -3_600],
    ['forward', 3_600],
  ])(
    'keeps the files of an expired result exactly as long as caches may name them when the clock is set an hour %s',
    async (_, seconds) => {
      const w = world();
      const hash = await accept(w);
      await runNext(w);
      pass(TIMES.buildSeconds + 1);
      expect(await w.sweep()).toMatchObject({ unpublished: 1 });
      set += seconds * 1_000;
      pass(59);
      expect(await w.sweep()).toMatchObject({ removed: 0 });
      pass(1);
      expect(await w.sweep()).toMatchObject({ removed: 1 });
      expect(await w.builds.get(hash)).toBeUndefined();
    },
  );

  it('does no harm when it runs twice at the same time', async () => {
    const w = world();
    const hashes = await Promise.all(Array.from({ length: 10 }, () => accept(w)));
    for (const _ of hashes) await runNext(w);
    pass(TIMES.buildSeconds + 1);
    const swept = await Promise.all([w.sweep(), w.sweep(), w.sweep()]);
    expect(swept.reduce((sum, { unpublished }) => sum + unpublished, 0)).toBe(hashes.length);
    expect(swept.flatMap(({ errors }) => errors)).toEqual([]);
  });
});
