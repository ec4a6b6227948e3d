import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { diskArtifactStore } from '#adapters/disk/artifact-store.ts';
import { sqliteBuildQueue } from '#adapters/sqlite/build-queue.ts';
import { sqliteBuildSweep } from '#adapters/sqlite/build-sweep.ts';
import { sqliteBuildTable } from '#adapters/sqlite/build-table.ts';
import { openSqlite } from '#adapters/sqlite/open-sqlite.ts';
import { sqliteQueuePositions } from '#adapters/sqlite/queue-positions.ts';
import { sqliteRecordStore } from '#adapters/sqlite/record-store.ts';
import { sqliteStatistics } from '#adapters/sqlite/statistics.ts';
import type { DemoUpstreamServer } from '#demo/upstream/serve.ts';
import { serverProcess } from '#test/support/server-process.ts';
import { askForBuilds, RECORDING_SETTINGS } from './ask-for-builds.ts';
import { dumpDatabase } from './dump-database.ts';
import { leaveTraces } from './leave-traces.ts';

/** Longer than the second after which the server writes its counts of requests. */
const COUNTED_MS = 1_500;

/** Runs a standalone server, kills it, and writes the data that it left into `directory`. */
export async function recordStandalone(directory: string, commit: string, upstream: DemoUpstreamServer): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'asu-upgrade-'));
  try {
    // `leaveTraces` sweeps; the server does not.
    const server = await serverProcess(dataDir, upstream.url, { ...RECORDING_SETTINGS, SWEEP_EVERY: '1d' });
    const inStep = async (hash: string, step: string) => {
      const isMeant = (line: string) => ['"build step entered"', `"step":"${step}"`, hash].every((text) => line.includes(text));
      while (!server.lines.some(isMeant)) await pause(20);
    };
    const asked = await askForBuilds({ url: server.url, upstream, inStep });
    const signingKey = await (await fetch(`${server.url}/signing-key.pub`)).text();
    await pause(COUNTED_MS);
    await server.kill();

    const db = openSqlite(join(dataDir, 'asu.db'));
    const statistics = sqliteStatistics(db);
    const state = {
      builds: sqliteBuildTable(db),
      sweep: sqliteBuildSweep(db),
      queue: sqliteBuildQueue(db),
      artifacts: diskArtifactStore(join(dataDir, 'public')),
      records: sqliteRecordStore(db),
      positions: sqliteQueuePositions(db),
      statistics,
      report: statistics,
    };
    const facts = await leaveTraces(state, asked, { commit, upstreamUrl: upstream.url });
    await writeFile(join(directory, 'asu.sql'), dumpDatabase(db));
    db.close();
    await cp(join(dataDir, 'public'), join(directory, 'public'), { recursive: true, filter: (path) => !path.includes('~lock') });
    await writeFile(join(directory, 'keys.json'), json(await keysIn(join(dataDir, 'keys'))));
    await writeFile(join(directory, 'facts.json'), json({ ...facts, signingKey }));
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** The key files in base64. They sign nothing but this recording; in plain text, scanners would report them as secrets. */
async function keysIn(directory: string): Promise<Record<string, string>> {
  const names = (await readdir(directory)).sort();
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await readFile(join(directory, name), 'base64')])));
}

const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
