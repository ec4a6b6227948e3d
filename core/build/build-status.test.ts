import { beforeEach, describe, expect, it } from 'vitest';
import { sqliteBuildTable } from '#adapters/sqlite/build-table.ts';
import { openSqlite } from '#adapters/sqlite/open-sqlite.ts';
import { sqliteQueuePositions } from '#adapters/sqlite/queue-positions.ts';
import { BuildNotFoundError } from '#core/errors.ts';
import type { ArtifactStore } from '#core/stores.ts';
import { moved, rowIn, started } from '#test/contracts/drive-build.ts';
import { at, done, failed, freshHash, queued, sampleOrder } from '#test/contracts/sample-builds.ts';
import { memoryArtifactStore } from '#test/support/memory-artifact-store.ts';
import { artifactKeys, recordMeta, resultMeta } from './artifact-keys.ts';
import type { Build } from './build.ts';
import { type BuildStatusDeps, getBuildStatus } from './build-status.ts';
import type { BuildTable } from './ports.ts';

const RECORD = recordMeta('application/json');

let table: BuildTable;
let artifacts: ArtifactStore;
let status: BuildStatusDeps;
beforeEach(() => {
  const db = openSqlite(':memory:');
  table = sqliteBuildTable(db);
  artifacts = memoryArtifactStore();
  status = { builds: table, artifacts, positions: sqliteQueuePositions(db), now: () => at(50) };
});

const SUCCESS = (binDir: string) => JSON.stringify({ detail: 'done', status: 200, bin_dir: binDir });
const FAILURE = JSON.stringify({ status: 500, title: 'Build failed', imagebuilder_status: 'failed' });

describe('what earlier versions stored', () => {
  it('of a build that is done is answered, and published', async () => {
    const running = await started(table, 'a');
    await moved(table, running, done(running, 100));
    await artifacts.put(artifactKeys.formerOutcome(running.binDir), SUCCESS(running.binDir), RECORD);
    expect(await getBuildStatus(status, running.hash)).toMatchObject({ state: 'done', document: SUCCESS(running.binDir) });
    expect(await artifacts.read(artifactKeys.result(running.hash))).toBe(SUCCESS(running.binDir));
  });

  it('of a build that failed is answered', async () => {
    const running = await started(table, 'a');
    await moved(table, running, { ...failed(running, true, 100), binDir: running.binDir });
    await artifacts.put(artifactKeys.formerOutcome(running.binDir), FAILURE, RECORD);
    expect(await getBuildStatus(status, running.hash)).toMatchObject({ state: 'failed', document: FAILURE });
  });

  it('as a failure of a build that is done is not a result: it is neither answered nor published, and not used once published', async () => {
    const running = await started(table, 'a');
    await moved(table, running, done(running, 100));
    await artifacts.put(artifactKeys.formerOutcome(running.binDir), FAILURE, RECORD);
    await expect(getBuildStatus(status, running.hash)).rejects.toBeInstanceOf(BuildNotFoundError);
    expect(await artifacts.read(artifactKeys.result(running.hash))).toBeUndefined();
    await artifacts.put(artifactKeys.result(running.hash), FAILURE, resultMeta(false));
    await expect(getBuildStatus(status, running.hash)).rejects.toBeInstanceOf(BuildNotFoundError);
  });

  it('as a result of a build that failed is not a failure: the answer comes from the row', async () => {
    const running = await started(table, 'a');
    await moved(table, running, { ...failed(running, true, 100), binDir: running.binDir });
    await artifacts.put(artifactKeys.formerOutcome(running.binDir), SUCCESS(running.binDir), RECORD);
    expect(await getBuildStatus(status, running.hash)).toMatchObject({ state: 'failed', document: undefined });
  });
});

describe('a table whose reads return old rows', () => {
  /** Returns a table that answers with `old` until a read asks for the latest row. */
  const behind = (old: Build): BuildStatusDeps => ({
    ...status,
    builds: { ...table, get: async (hash, options) => (options?.isLatest ? table.get(hash) : old) },
  });
  const OLD: Readonly<Record<string, () => Promise<Build>>> = {
    'failed and may be built again': async () => {
      const running = await started(table, 'a');
      return moved(table, running, failed(running, false, 1_000));
    },
    'failed and has expired': () => rowIn(table, 'failed', 'owner', 40),
    'was cancelled': () => rowIn(table, 'cancelled', 'owner', 1_000),
    'was on its way out': () => rowIn(table, 'expiring'),
    'was done and has expired': () => rowIn(table, 'done', 'owner', 40),
  };

  it.each(Object.keys(OLD))('does not make a client give up on a build that %s and was begun again', async (what) => {
    const old = await OLD[what]?.();
    if (old === undefined) throw new Error(what);
    const { won } = await table.claim(queued(old.hash, 50), sampleOrder(old.hash), at(50), { over: old });
    expect(won).toBe(true);
    expect(await getBuildStatus(behind(old), old.hash)).toMatchObject({ state: 'queued' });
  });

  it('does not make a client give up on a build that was done and was begun again because its answer was gone', async () => {
    const old = await rowIn(table, 'done', 'owner', 1_000);
    const leaving = { ...old, state: 'expiring' as const, lease: { owner: 'asked for again', expiresAt: at(50).toISOString() } };
    await moved(table, old, leaving as Build);
    await table.claim(queued(old.hash, 50), sampleOrder(old.hash), at(50), { over: leaving as Build });
    expect(await getBuildStatus(behind(old), old.hash)).toMatchObject({ state: 'queued' });
  });

  it('is read once when the client would not give up, and for an unknown build', async () => {
    const asked: unknown[] = [];
    const counting = {
      ...status,
      builds: {
        ...table,
        get: (...read: Parameters<BuildTable['get']>) => {
          asked.push(read[1]);
          return table.get(...read);
        },
      },
    };
    const running = await started(table, 'a');
    await getBuildStatus(counting, running.hash);
    await moved(table, running, done(running, 100));
    await artifacts.put(artifactKeys.success(running.binDir), SUCCESS(running.binDir), RECORD);
    await getBuildStatus(counting, running.hash);
    await expect(getBuildStatus(counting, freshHash())).rejects.toBeInstanceOf(BuildNotFoundError);
    expect(asked).toEqual([undefined, undefined, undefined]);
    const over = await rowIn(table, 'cancelled');
    expect(await getBuildStatus(counting, over.hash)).toMatchObject({ state: 'cancelled' });
    expect(asked.slice(3)).toEqual([undefined, { isLatest: true }]);
  });
});
