import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { diskArtifactStore } from '#adapters/disk/artifact-store.ts';
import { sqliteBuildQueue } from '#adapters/sqlite/build-queue.ts';
import { sqliteBuildSweep } from '#adapters/sqlite/build-sweep.ts';
import { sqliteBuildTable } from '#adapters/sqlite/build-table.ts';
import { openSqlite } from '#adapters/sqlite/open-sqlite.ts';
import { sightings } from '#core/build/sightings.ts';
import { type SweepDeps, sweepBuilds } from '#core/build/sweep.ts';
import { type DemoUpstreamServer, serveDemoUpstream } from '#demo/upstream/serve.ts';
import { type ServerProcess, serverProcess } from '#test/support/server-process.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { keepsPromises, type UpgradedServer } from '../keeps-promises.ts';
import { layOutData } from '../lay-out/lay-out-data.ts';
import { RECORDED_IMAGEBUILDER_SETTINGS, recordings, upstreamDirectory } from '../recordings.ts';

/** An address at which no server listens. */
const NO_UPSTREAM = 'http://127.0.0.1:9';
const WEEK_SECONDS = 7 * 86_400;
const LATER_MS = 120_000;

describe.each(recordings('standalone'))('standalone on the data of $name', (recording) => {
  const { facts } = recording;
  let dataDir: string;
  const freshDirectory = async () => {
    dataDir = await temporaryDirectory();
  };

  describe('with its upstream', () => {
    let upstream: DemoUpstreamServer;
    let server: ServerProcess;
    const startServer = async () => {
      server = await serverProcess(dataDir, upstream.url, {
        ...RECORDED_IMAGEBUILDER_SETTINGS,
        ALLOW_DEFAULTS: 'true',
        WORKER_CONCURRENT: '2',
        SWEEP_EVERY: '1s',
      });
    };
    beforeAll(async () => {
      await freshDirectory();
      upstream = await serveDemoUpstream({ directory: upstreamDirectory(recording.name) });
    });
    afterAll(async () => {
      await upstream.close();
    });

    keepsPromises(recording, async (): Promise<UpgradedServer> => {
      await layOutData(recording, dataDir, upstream.url);
      await startServer();
      return {
        url: () => server.url,
        lines: () => server.lines,
        later: async () => {
          expect(await server.stop()).toBe(0);
          await sweepLater(dataDir);
          await startServer();
        },
        stop: () => server.kill(),
      };
    });

    it('signs with the key that the earlier version made', async () => {
      expect(await (await fetch(`${server.url}/signing-key.pub`)).text()).toBe(facts.signingKey);
      const keys = JSON.parse(await readFile(join(recording.directory, 'keys.json'), 'utf8')) as Record<string, string>;
      for (const [name, content] of Object.entries(keys)) expect(await readFile(join(dataDir, 'keys', name), 'base64')).toBe(content);
    });
  });

  describe('alone', () => {
    beforeEach(freshDirectory);

    it('answers from its catalogue records when upstream is away', async () => {
      await layOutData(recording, dataDir, NO_UPSTREAM);
      const server = await serverProcess(dataDir, NO_UPSTREAM, { ALLOW_DEFAULTS: 'true', WORKER_CONCURRENT: '0' });
      try {
        const post = async (path: string, body: object) => {
          const response = await fetch(server.url + path, { method: 'POST', body: JSON.stringify(body) });
          return [response.status, ((await response.json()) as { request_hash: unknown }).request_hash];
        };
        for (const { request, hash } of facts.done) expect(await post('/api/v1/build', request)).toEqual([200, hash]);
        for (const { request, hash } of facts.forecasts) {
          expect(await post('/api/v1/build/prepare', request)).toEqual([200, hash]);
          expect(await post('/api/v1/build', request)).toEqual([202, hash]);
        }
        const overview = await (await fetch(`${server.url}/json/v1/overview.json`)).json();
        expect(overview).toMatchObject({ latest: ['24.10.2'], branches: { '24.10': { targets: { 'x86/64': 'x86_64' } } } });
      } finally {
        await server.kill();
      }
    });

    it('is refused when a later version has written to it, and stays as it is', async () => {
      await layOutData(recording, dataDir, NO_UPSTREAM);
      const later = new DatabaseSync(join(dataDir, 'asu.db'));
      later.exec('PRAGMA user_version = 1000000');
      const contents = () => ['builds', 'build_orders', 'messages', 'records'].map((name) => later.prepare(`SELECT * FROM ${name}`).all());
      const before = contents();
      await expect(serverProcess(dataDir, NO_UPSTREAM)).rejects.toThrow(
        /the server ended with 1: [\s\S]*The server could not start: The database has schema version 1000000, this program knows up to \d+: it was written by a later one\n/,
      );
      expect(later.prepare('PRAGMA user_version').get()).toEqual({ user_version: 1_000_000 });
      expect(contents()).toEqual(before);
      later.close();
    });
  });
});

/** Sweeps as one that has seen every lease for long, with a clock that is ahead. */
async function sweepLater(dataDir: string): Promise<void> {
  const db = openSqlite(join(dataDir, 'asu.db'));
  let seenMs = 0;
  const sweeper: SweepDeps = {
    builds: sqliteBuildTable(db),
    sweep: sqliteBuildSweep(db),
    queue: sqliteBuildQueue(db),
    artifacts: diskArtifactStore(join(dataDir, 'public')),
    now: () => new Date(Date.now() + LATER_MS),
    sightings: sightings(() => seenMs),
    newSweepId: randomUUID,
    timesToLive: {
      buildSeconds: WEEK_SECONDS,
      unversionedSeconds: WEEK_SECONDS,
      defaultsSeconds: WEEK_SECONDS,
      failureSeconds: WEEK_SECONDS,
    },
  };
  for (const laterMs of [0, LATER_MS]) {
    seenMs += laterMs;
    expect((await sweepBuilds(sweeper)).errors).toEqual([]);
  }
  db.close();
}
