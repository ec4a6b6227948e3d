import { beforeEach, describe, expect, it } from 'vitest';
import { sqliteBuildTable } from '#adapters/sqlite/build-table.ts';
import { openSqlite } from '#adapters/sqlite/open-sqlite.ts';
import { sqliteQueuePositions } from '#adapters/sqlite/queue-positions.ts';
import type { ArtifactStore } from '#core/stores.ts';
import { moved, started } from '#test/contracts/drive-build.ts';
import { at, done, failed, freshHash, queued, sampleOrder } from '#test/contracts/sample-builds.ts';
import { memoryArtifactStore } from '#test/support/memory-artifact-store.ts';
import { artifactKeys, recordMeta } from './artifact-keys.ts';
import type { Build } from './build.ts';
import type { BuildStatusDeps } from './build-status.ts';
import { imageFinder } from './find-image.ts';
import type { BuildTable } from './ports.ts';

let table: BuildTable;
let artifacts: ArtifactStore;
let status: BuildStatusDeps;
beforeEach(() => {
  const db = openSqlite(':memory:');
  table = sqliteBuildTable(db);
  artifacts = memoryArtifactStore();
  status = { builds: table, artifacts, positions: sqliteQueuePositions(db), now: () => at(50) };
});

const findImage = (deps: BuildStatusDeps, hash: string, name: string) => imageFinder(deps)(hash, name);

/** Returns a finished build whose result lists `a.bin` and has the images `a.bin` and `b.bin`. */
async function finished() {
  const running = await started(table, 'a');
  await moved(table, running, done(running, 100));
  const document = { bin_dir: running.binDir, images: [{ name: 'b.bin' }], files: [{ name: 'a.bin', size: 1, sha256: '' }] };
  await artifacts.put(artifactKeys.success(running.binDir), JSON.stringify(document), recordMeta('application/json'));
  return running;
}

describe('the directory of an image', () => {
  it('is that of the build, for each file that its result lists and for no other', async () => {
    const { hash, binDir } = await finished();
    expect(await findImage(status, hash, 'a.bin')).toBe(binDir);
    for (const name of ['b.bin', '', '.', '..', 'A.bin', 'constructor']) expect(await findImage(status, hash, name)).toBeUndefined();
  });

  it('is that of the latest row, where the table is a moment behind', async () => {
    const { hash, binDir } = await finished();
    const seen = queued(hash);
    const behind: BuildTable = { ...table, get: async (key, options) => (options?.isLatest ? table.get(key) : seen) };
    expect(await findImage({ ...status, builds: behind }, hash, 'a.bin')).toBe(binDir);
  });

  it('is that of the build that was made again, where the table still shows the one that has expired', async () => {
    const { hash, binDir } = await finished();
    const expired = { ...(await table.get(hash)), expiresAt: at(40).toISOString(), binDir: 'f'.repeat(64) } as Build;
    const behind: BuildTable = { ...table, get: async (key, options) => (options?.isLatest ? table.get(key) : expired) };
    expect(await findImage({ ...status, builds: behind }, hash, 'a.bin')).toBe(binDir);
  });

  it('is not there once the build has expired', async () => {
    const { hash } = await finished();
    expect(await findImage({ ...status, now: () => at(101) }, hash, 'a.bin')).toBeUndefined();
  });

  it('is not there for a build that never was, waits, runs or failed', async () => {
    for (const hash of [freshHash(), '', 'x'.repeat(64)]) expect(await findImage(status, hash, 'a.bin')).toBeUndefined();
    const waiting = queued(freshHash());
    await table.claim(waiting, sampleOrder(waiting.hash), at(0));
    expect(await findImage(status, waiting.hash, 'a.bin')).toBeUndefined();
    const running = await started(table, 'b');
    expect(await findImage(status, running.hash, 'a.bin')).toBeUndefined();
    await moved(table, running, { ...failed(running, true, 100), binDir: running.binDir });
    expect(await findImage(status, running.hash, 'a.bin')).toBeUndefined();
  });

  it('is not there for a build whose result is lost', async () => {
    const running = await started(table, 'a');
    await moved(table, running, done(running, 100));
    expect(await findImage(status, running.hash, 'a.bin')).toBeUndefined();
  });

  it('is no answer while the stores cannot be read', async () => {
    const { hash } = await finished();
    const read = () => Promise.reject(new Error('the store is gone'));
    await expect(findImage({ ...status, artifacts: { ...artifacts, read } }, hash, 'a.bin')).rejects.toThrow('the store is gone');
  });
});
