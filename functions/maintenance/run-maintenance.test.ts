import { beforeEach, describe, expect, it } from 'vitest';
import { diskArtifactStore } from '#adapters/disk/artifact-store.ts';
import { sqliteBuildQueue } from '#adapters/sqlite/build-queue.ts';
import { sqliteBuildSweep } from '#adapters/sqlite/build-sweep.ts';
import { sqliteBuildTable } from '#adapters/sqlite/build-table.ts';
import { openSqlite } from '#adapters/sqlite/open-sqlite.ts';
import { sightings } from '#core/build/sightings.ts';
import type { Swept } from '#core/build/sweep.ts';
import { DEFAULT_BRANCHES } from '#core/catalogue/branches.ts';
import type { Catalogue } from '#core/catalogue/catalogue.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { type RunMaintenanceDeps, runMaintenance } from './run-maintenance.ts';

const FACTS = {
  version: '1',
  contact: '',
  allow_defaults: false,
  repository_allow_list: [],
  max_custom_rootfs_size_mb: 1,
  max_defaults_length: 1,
};

describe('runMaintenance', () => {
  let directory: string;
  let swept: Swept[];
  let published: string[][];
  let troubles: unknown[];
  let versions: string[];

  beforeEach(async () => {
    directory = await temporaryDirectory();
    [swept, published, troubles, versions] = [[], [], [], ['24.10.1']];
  });

  const catalogue: Catalogue = {
    versions: async () => ({ stable: versions[0] as string, list: versions }),
    hasVersion: async () => true,
    hasArch: async () => true,
    targets: async (path) => (path.startsWith('releases/24.10') ? { 'x86/64': 'x86_64' } : undefined),
    target: async () => undefined,
    packages: async () => undefined,
    feeds: async () => ({}),
  };

  function parts(change: Partial<RunMaintenanceDeps> = {}): RunMaintenanceDeps {
    const db = openSqlite(':memory:');
    return {
      builds: sqliteBuildTable(db),
      sweep: sqliteBuildSweep(db),
      queue: sqliteBuildQueue(db),
      artifacts: diskArtifactStore(directory),
      catalogue,
      branches: () => DEFAULT_BRANCHES,
      upstreamUrl: 'https://downloads.openwrt.org',
      serverFacts: FACTS,
      timesToLive: { buildSeconds: 1, unversionedSeconds: 1, defaultsSeconds: 1, failureSeconds: 1 },
      sightings: sightings(() => performance.now()),
      newSweepId: () => 'sweep',
      now: () => new Date(),
      onSwept: (one) => swept.push(one),
      onPublished: (keys) => published.push([...keys]),
      onError: (error) => troubles.push(error),
      ...change,
    };
  }
  const run = (deps: RunMaintenanceDeps) => runMaintenance(deps, 10);
  const read = async (key: string) => JSON.parse((await parts().artifacts.read(key)) ?? 'null');

  it('sweeps twice, and publishes the documents that clients read first under their URL paths', async () => {
    await run(parts());
    expect(swept).toHaveLength(2);
    expect(published).toEqual([['json/v1/overview.json', 'json/v1/branches.json', 'json/v1/latest.json']]);
    expect(await read('json/v1/latest.json')).toEqual({ latest: ['24.10.1'] });
    expect((await read('json/v1/overview.json')).branches['24.10'].targets).toEqual({ 'x86/64': 'x86_64' });
    expect((await parts().artifacts.stat('json/v1/branches.json'))?.meta.contentType).toBe('application/json');
  });

  it('sweeps once and ends at once when no build waits or is in progress', async () => {
    await runMaintenance(parts({ isIdle: async () => true }), 600_000);
    expect([swept.length, published.length]).toEqual([1, 1]);
  });

  it('sweeps twice and then fails when it cannot read whether a build waits', async () => {
    const gone = new Error('no such table');
    await expect(run(parts({ isIdle: () => Promise.reject(gone) }))).rejects.toThrow('Maintenance met 1 failures');
    expect([swept.length, troubles]).toEqual([2, [gone]]);
  });

  it('writes only documents that have changed, also when it runs twice at the same time', async () => {
    await run(parts());
    await Promise.all([run(parts()), run(parts())]);
    expect(published.slice(1)).toEqual([[], []]);
    versions = ['24.10.2', '24.10.1'];
    await run(parts());
    expect(await read('json/v1/latest.json')).toEqual({ latest: ['24.10.2'] });
  });

  it('sweeps when the catalogue cannot be read, and then fails', async () => {
    const down = new Error('upstream is down');
    const deps = parts({ catalogue: { ...catalogue, versions: () => Promise.reject(down) } });
    await expect(run(deps)).rejects.toThrow('Maintenance met 1 failures');
    expect(swept).toHaveLength(2);
    expect(troubles).toEqual([down]);
  });

  it('publishes when the sweep fails, and then fails', async () => {
    const gone = new Error('no such table');
    const sweep = { ...parts().sweep, leased: () => Promise.reject(gone) };
    await expect(run(parts({ sweep, reconcile: [() => Promise.reject(gone)] }))).rejects.toThrow(AggregateError);
    expect(published[0]).toHaveLength(3);
    expect(troubles.every((trouble) => trouble === gone) && troubles.length).toBe(3);
  });
});
