import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { diskArtifactStore } from '#adapters/disk/artifact-store.ts';
import { sqliteBuildQueue } from '#adapters/sqlite/build-queue.ts';
import { sqliteBuildTable } from '#adapters/sqlite/build-table.ts';
import { openSqlite } from '#adapters/sqlite/open-sqlite.ts';
import { sqliteQueuePositions } from '#adapters/sqlite/queue-positions.ts';
import { DEFAULT_BRANCHES } from '#core/catalogue/branches.ts';
import type { Catalogue, Freshness, TargetRecord } from '#core/catalogue/catalogue.ts';
import { BuildNotFoundError, StorageFullError } from '#core/errors.ts';
import { BuildFailure, InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import { buildRequestParser } from '#core/request/parse-build-request.ts';
import { callsInterrupted } from '#test/support/calls-interrupted.ts';
import { type Script, scriptedImageMaker } from '#test/support/scripted-image-maker.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { artifactKeys } from './artifact-keys.ts';
import { getBuildStatus } from './build-status.ts';
import type { BuildTable } from './ports.ts';
import { runBuild } from './run-build.ts';
import { type SubmitBuildDeps, type Submitted, submitBuild } from './submit-build.ts';

const TIMES = { buildSeconds: 1_000, unversionedSeconds: 1_000, defaultsSeconds: 100, failureSeconds: 500 };
const request = buildRequestParser()({ version: 'SNAPSHOT', target: 'x86/64', profile: 'generic', packages: ['vim'] });

const recordOf = (revision: string): TargetRecord => ({
  version: 'SNAPSHOT',
  target: 'x86/64',
  versionPath: 'snapshots',
  arch: 'x86_64',
  revision,
  defaultPackages: [],
  profiles: { generic: { id: 'generic', devicePackages: [], supportedDevices: [], raw: {} } },
  metadata: {},
  imagebuilder: { name: 'openwrt-imagebuilder.tar.zst', sha256: 'a'.repeat(64) },
  indexes: {},
  fetchedAt: '2026-11-01T00:00:00.000Z',
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
  const catalogue: Catalogue = {
    versions: async () => ({ list: [] }),
    hasVersion: async () => true,
    targets: async () => ({ 'x86/64': 'x86_64' }),
    target: async (_version, _path, _target, { fresh = false, changedAt }: Freshness = {}) => {
      if (fresh) {
        upstream.looks += 1;
        upstream.changedAt = changedAt;
        known = recordOf(upstream.revision);
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
  };
  return {
    upstream,
    deps,
    submit: (others: Partial<SubmitBuildDeps> = {}) => submitBuild({ ...deps, ...others }, request, { correlationId: 'test' }),
    run: async () => {
      const message = await queue.receive({ visibilitySeconds: 60, signal: new AbortController().signal });
      if (message === undefined) throw new Error('nothing is queued');
      await runBuild(runner, message, new AbortController().signal);
    },
  };
}

const failing = (error: Error): Script => ({
  act: () => {
    throw error;
  },
});
const GONE = new InfrastructureFailure('The ImageBuilder of this build is gone', { isFinal: true });

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
