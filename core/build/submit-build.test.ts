import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { diskArtifactStore } from '#adapters/disk/artifact-store.ts';
import { sqliteBuildQueue } from '#adapters/sqlite/build-queue.ts';
import { sqliteBuildTable } from '#adapters/sqlite/build-table.ts';
import { openSqlite } from '#adapters/sqlite/open-sqlite.ts';
import { sqliteQueuePositions } from '#adapters/sqlite/queue-positions.ts';
import { DEFAULT_BRANCHES } from '#core/catalogue/branches.ts';
import type { Catalogue, Freshness, TargetRecord } from '#core/catalogue/catalogue.ts';
import { BuildNotFoundError, QueueFullError, StorageFullError, StoreUnavailableError } from '#core/errors.ts';
import { BuildFailure, InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import { UpstreamChangedFailure } from '#core/imagebuilder/upstream-changed-failure.ts';
import { buildRequestParser } from '#core/request/parse-build-request.ts';
import type { BinDir } from '#core/request/request-hash.ts';
import { callsInterrupted } from '#test/support/calls-interrupted.ts';
import { type Script, scriptedImageMaker } from '#test/support/scripted-image-maker.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { artifactKeys } from './artifact-keys.ts';
import type { FailedBuild } from './build.ts';
import type { BuildOrder } from './build-order.ts';
import { getBuildStatus } from './build-status.ts';
import type { BuildTable, OutdatedInputs } from './ports.ts';
import { type RunBuildDeps, runBuild } from './run-build.ts';
import { type SubmitBuildDeps, type Submitted, submitBuild } from './submit-build.ts';

const TIMES = { buildSeconds: 1_000, unversionedSeconds: 1_000, defaultsSeconds: 100, failureSeconds: 500 };
const request = buildRequestParser()({ version: 'SNAPSHOT', target: 'x86/64', profile: 'generic', packages: ['vim'] });

const recordOf = (revision: string, fetchedAt = '2026-11-01T00:00:00.000Z'): TargetRecord => ({
  version: 'SNAPSHOT',
  target: 'x86/64',
  versionPath: 'snapshots',
  arch: 'x86_64',
  revision,
  defaultPackages: [],
  profiles: { generic: { id: 'generic', devicePackages: [], supportedDevices: [], raw: {} } },
  metadata: {},
  imagebuilder: { name: 'openwrt-imagebuilder.tar.zst', sha256: 'a'.repeat(64) },
  indexes: { 'snapshots/packages/x86_64/packages/packages.adb': revision },
  fetchedAt,
});

let directory: string;
let clock: number;
beforeEach(async () => {
  directory = await temporaryDirectory();
  clock = Date.parse('2026-11-20T12:00:00Z');
});
const now = () => new Date(clock);

/** Returns a server whose builds fail as `script` says and whose catalogue is outdated until a read is `fresh`. */
function world(script: Script, timesToLive = TIMES) {
  const db = openSqlite(':memory:');
  const builds = sqliteBuildTable(db);
  const queue = sqliteBuildQueue(db, { pollMs: 5 });
  const artifacts = diskArtifactStore(directory);
  const upstream: { revision: string; looks: number; changedAt?: Date | undefined } = { revision: 'r1-1111111111', looks: 0 };
  let known = recordOf(upstream.revision);
  const noted = new Map<string, Date>();
  const outdatedInputs: OutdatedInputs = {
    note: async (inputs, foundAt) => void noted.set(inputs, foundAt),
    foundAt: async (inputs) => noted.get(inputs),
  };
  const catalogue: Catalogue = {
    versions: async () => ({ list: [] }),
    hasVersion: async () => true,
    hasArch: async () => true,
    targets: async () => ({ 'x86/64': 'x86_64' }),
    target: async (_version, _path, _target, { fresh = false, changedAt }: Freshness = {}) => {
      if (fresh) {
        upstream.looks += 1;
        upstream.changedAt = changedAt;
        known = recordOf(upstream.revision, now().toISOString());
      }
      return known;
    },
    packages: async () => undefined,
    feeds: async () => ({}),
  };
  const policy = { allowDefaults: false, repositoryAllowList: [], branches: DEFAULT_BRANCHES };
  const deps: SubmitBuildDeps = {
    ...{ catalogue, policy, builds, queue, artifacts, now, positions: sqliteQueuePositions(db) },
    maxPendingBuilds: () => 100,
    rebuildPauseSeconds: () => 10,
    outdatedInputs,
  };
  const imageMaker = scriptedImageMaker(script);
  const monotonic = () => clock;
  const runner = {
    builds,
    queue,
    artifacts,
    now,
    monotonic,
    timesToLive,
    imageMaker,
    newAttemptId: randomUUID,
    every: () => () => undefined,
    onUpstreamChanged: ({ inputs }: BuildOrder, foundAt: Date) => outdatedInputs.note(inputs, foundAt),
  };
  return {
    upstream,
    deps,
    submit: (others: Partial<SubmitBuildDeps> = {}, asked = request) =>
      submitBuild({ ...deps, ...others }, asked, { correlationId: 'test' }),
    run: async (others: Partial<RunBuildDeps> = {}) => {
      const message = await queue.receive({ visibilitySeconds: 60, signal: new AbortController().signal });
      if (message === undefined) throw new Error('nothing is queued');
      await runBuild({ ...runner, ...others }, message, new AbortController().signal);
    },
  };
}

const failing = (error: Error): Script => ({
  act: () => {
    throw error;
  },
});
const GONE = new UpstreamChangedFailure('The ImageBuilder of this build is gone');

describe('a build that failed without fault of its request', () => {
  it('is the answer to a client that asks again at once, and is built again for one that asks later', async () => {
    const { submit, run, upstream } = world(failing(GONE));
    const first = await submit();
    await run();
    const told = await submit();
    expect([told.outcome, told.view.state, told.prepared.hash]).toEqual(['hit', 'failed', first.prepared.hash]);
    clock += 9_999;
    expect((await submit()).view.state).toBe('failed');
    clock += 1;
    expect([(await submit()).outcome, (await submit()).outcome]).toEqual(['new', 'joined']);
    expect(upstream.looks).toBeGreaterThan(0);
  });

  it('is looked at once more with copies from after its end, since it may have found upstream changed', async () => {
    const { submit, run, upstream, deps } = world(failing(GONE));
    const { prepared } = await submit();
    expect(upstream.changedAt).toBeUndefined();
    await run();
    const failed = await deps.builds.get(prepared.hash);
    await submit();
    expect(failed).toMatchObject({ state: 'failed', finishedAt: upstream.changedAt?.toISOString() });
  });

  it('is built again once the failure or its pause has expired, and is answered no longer than that after a clock was set back', async () => {
    const { submit, run } = world(failing(GONE));
    await submit();
    await run();
    clock -= 3_600_000;
    expect((await submit()).view).toMatchObject({ state: 'failed', retryAfterSeconds: 10 });
    clock += 3_600_000 + 4_000;
    expect((await submit()).view).toMatchObject({ state: 'failed', retryAfterSeconds: 6 });
    clock += 1_000_000;
    expect((await submit()).outcome).toBe('new');
  });

  it('that expires within its pause is no longer known, and is built again', async () => {
    const { submit, run } = world(failing(GONE), { ...TIMES, failureSeconds: 5 });
    await submit();
    await run();
    clock += 6_000;
    expect((await submit()).outcome).toBe('new');
  });

  it('becomes another build at once when upstream has changed', async () => {
    const { submit, run, upstream } = world(failing(GONE));
    const first = await submit();
    upstream.revision = 'r2-2222222222';
    await run();
    const second = await submit();
    expect([second.outcome, second.prepared.valid.record.revision]).toEqual(['new', 'r2-2222222222']);
    expect(second.prepared.hash).not.toBe(first.prepared.hash);
  });
});

it('a request that looked before a build began, failed and expired takes on what that build left', async () => {
  const { submit, run, deps } = world(failing(new BuildFailure('the packages clash')));
  let sees: () => void = () => undefined;
  const isSeen = new Promise<void>((resolve) => {
    sees = resolve;
  });
  let goOn: () => void = () => undefined;
  const isLate = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const slow: BuildTable = {
    ...deps.builds,
    get: async (hash, options) => {
      const row = await deps.builds.get(hash, options);
      sees();
      await isLate;
      return row;
    },
  };
  const late = submit({ builds: slow });
  await isSeen;
  const { hash } = (await submit()).prepared;
  await run();
  const { binDir } = (await deps.builds.get(hash)) as FailedBuild;
  expect(await deps.artifacts.read(artifactKeys.failure(binDir as BinDir))).toBeDefined();
  clock += TIMES.failureSeconds * 1000;
  goOn();
  expect((await late).outcome).toBe('new');
  expect(await deps.builds.get(hash)).toMatchObject({ state: 'queued', previousBinDirs: [binDir], sentAt: now().toISOString() });
  expect(await deps.artifacts.read(artifactKeys.failure(binDir as BinDir))).toBeUndefined();
});

it('a request whose message is sent slowly, while its build fails and another one begins, has not begun that one', async () => {
  const { submit, run, deps } = world(failing(new BuildFailure('the packages clash')));
  const isSent = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const slow: SubmitBuildDeps['queue'] = {
    ...deps.queue,
    send: async (...message) => {
      await deps.queue.send(...message);
      isSent.resolve();
      await goOn.promise;
    },
  };
  const late = submit({ queue: slow });
  await isSent.promise;
  await run();
  clock += TIMES.failureSeconds * 1000;
  const second = await submit();
  goOn.resolve();
  const first = await late;
  expect([first.outcome, second.outcome]).toEqual(['joined', 'new']);
  expect(first.view.build).toEqual(second.view.build);
});

describe('a build that failed for want of this machine', () => {
  const FULL = new InfrastructureFailure('The disk is full', { isFinal: true });

  it('found nothing changed: it is built again without reading upstream', async () => {
    const { submit, run, upstream, deps } = world(failing(FULL));
    const { prepared } = await submit();
    await run();
    expect(await deps.builds.get(prepared.hash)).toMatchObject({ state: 'failed', cached: false, upstreamChanged: false });
    expect((await submit()).view.state).toBe('failed');
    clock += 10_000;
    expect([(await submit()).outcome, upstream.looks]).toEqual(['new', 0]);
  });

  it('and whose row is of a version that did not keep the cause may have found upstream changed', async () => {
    const { submit, run, upstream, deps } = world(failing(FULL));
    const { prepared } = await submit();
    await run();
    const { upstreamChanged: _, ...earlier } = (await deps.builds.get(prepared.hash)) as FailedBuild;
    await submit({ builds: { ...deps.builds, get: async () => earlier } });
    expect([upstream.looks, upstream.changedAt?.toISOString()]).toEqual([1, earlier.finishedAt]);
  });
});

describe('a build that found upstream changed', () => {
  const NEWER = { code: 'feeds_changed', severity: 'note', detail: 'newer' } as const;
  const other = buildRequestParser()({ version: 'SNAPSHOT', target: 'x86/64', profile: 'generic', packages: ['tmux'] });

  it.each([
    ['and was made all the same', { warnings: [NEWER] }],
    ['and failed', failing(GONE)],
  ])('%s makes the next request for the target about upstream as it is', async (_, script) => {
    const { submit, run, upstream } = world(script);
    const before = await submit();
    upstream.revision = 'r2-2222222222';
    expect((await submit({}, other)).prepared.valid.record.revision).toBe('r1-1111111111');
    await run();
    const next = await submit({}, other);
    expect([next.outcome, next.prepared.valid.record.revision]).toEqual(['new', 'r2-2222222222']);
    expect(upstream.changedAt).toEqual(now());
    const again = await submit();
    expect([again.outcome, again.prepared.hash === before.prepared.hash]).toEqual(['new', false]);
    expect(upstream.looks).toBe(1);
  });

  it('is known before its end is', async () => {
    const { submit, run, upstream, deps } = world({ warnings: [NEWER] });
    const { hash } = (await submit()).prepared;
    upstream.revision = 'r2-2222222222';
    const seen: (string | undefined)[] = [];
    await run({ onUpstreamChanged: async () => void seen.push((await deps.builds.get(hash))?.state) });
    expect(seen).toEqual(['building']);
  });

  it('says nothing against a copy that is surely from after it', async () => {
    const { submit, run, upstream } = world({ warnings: [NEWER] });
    await submit();
    await run();
    clock += 61_000;
    await submit({}, other);
    expect(upstream.looks).toBe(1);
    await submit({}, other);
    expect(upstream.looks).toBe(1);
  });
});

it('a build with the packages that it was accepted for leads to no further read of upstream', async () => {
  const { submit, run, upstream } = world({});
  await submit();
  await run();
  expect([(await submit()).outcome, upstream.looks]).toEqual(['hit', 0]);
});

it('a failure of the request is answered without reading upstream again', async () => {
  const { submit, run, upstream } = world(failing(new BuildFailure('conflicts')));
  await submit();
  await run();
  clock += 60_000;
  expect([(await submit()).view.state, upstream.looks]).toEqual(['failed', 0]);
});

it('a claim that succeeds but is not answered belongs to its request, which sends the message', async () => {
  const { submit, run, deps } = world({});
  const claim: BuildTable['claim'] = async (...claimed) => {
    await deps.builds.claim(...claimed);
    throw new Error('socket hang up');
  };
  const first = await submit({ builds: { ...deps.builds, claim } });
  expect([first.outcome, first.view.state]).toEqual(['new', 'queued']);
  await run();
  expect((await submit()).view.state).toBe('done');
});

it.each([
  ['cannot be counted', new StoreUnavailableError('build table', 'ECONNREFUSED'), 1],
  ['are too many', new QueueFullError(9, 60), 2],
])('where waiting builds %s, the row is read again only if another request may have begun the build', async (_, refusal, expected) => {
  const { submit, deps } = world({});
  let reads = 0;
  const builds: BuildTable = {
    ...deps.builds,
    get: (...read) => {
      reads += 1;
      return deps.builds.get(...read);
    },
  };
  const positions = { ...deps.positions, waiting: () => Promise.reject(refusal) };
  await expect(submit({ builds, positions, maxPendingBuilds: () => 1 })).rejects.toBe(refusal);
  expect(reads).toBe(expected);
});

it('a claim that fails is reported with its error', async () => {
  const { submit, deps } = world({});
  const claim = () => Promise.reject(new StorageFullError('the table'));
  await expect(submit({ builds: { ...deps.builds, claim } })).rejects.toBeInstanceOf(StorageFullError);
});

it('a reader that is stopped at any moment does not put back an expired result that is requested again', async () => {
  for (let call = 0; ; call += 1) {
    const { submit, run, deps } = world({});
    const { hash } = (await submit()).prepared;
    await run();
    // The runner died before it published the result, so the reader publishes it.
    await deps.artifacts.remove(artifactKeys.result(hash));
    clock += 999_000;
    const reader = callsInterrupted(call, async () => {
      clock += 2_000;
      expect((await submit()).outcome).toBe('new');
    });
    const status = { ...deps, builds: reader.wrap(deps.builds), artifacts: reader.wrap(deps.artifacts) };
    await getBuildStatus(status, hash).catch((error) => expect(error).toBeInstanceOf(BuildNotFoundError));
    if (!reader.isMet) break;
    expect(await deps.artifacts.read(artifactKeys.result(hash))).toBeUndefined();
    expect((await deps.builds.get(hash))?.state).toBe('queued');
  }
});

it('a failure that would repeat is the answer until it expires, and invites no client to try again', async () => {
  const { submit, run } = world(failing(new BuildFailure('conflicts')));
  await submit();
  await run();
  const isFinal = ({ view }: Submitted) => view.state === 'failed' && !('retryAfterSeconds' in view);
  expect(isFinal(await submit())).toBe(true);
  clock += (TIMES.failureSeconds - 1) * 1000;
  expect(isFinal(await submit())).toBe(true);
  clock += 1000;
  expect((await submit()).outcome).toBe('new');
});
