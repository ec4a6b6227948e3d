import { diskArtifactStore } from '#adapters/disk/artifact-store.ts';
import { sqliteBuildQueue } from '#adapters/sqlite/build-queue.ts';
import { sqliteBuildSweep } from '#adapters/sqlite/build-sweep.ts';
import { sqliteBuildTable } from '#adapters/sqlite/build-table.ts';
import { sqliteClientBuilds } from '#adapters/sqlite/client-builds.ts';
import { openSqlite } from '#adapters/sqlite/open-sqlite.ts';
import { sqliteQueuePositions } from '#adapters/sqlite/queue-positions.ts';
import { sqliteRecordStore } from '#adapters/sqlite/record-store.ts';
import { sqliteStatistics } from '#adapters/sqlite/statistics.ts';
import { sqliteWriteCheck } from '#adapters/sqlite/write-check.ts';
import { buildPace } from '#core/build/build-pace.ts';
import { rememberDoneBuilds } from '#core/build/remember-done-builds.ts';
import type { StandaloneConfig } from './config.ts';

/**
 * Everything that a standalone server keeps: a SQLite file and a directory. A server that is alone may remember
 * finished builds.
 */
export function openState(config: StandaloneConfig, isAlone: boolean) {
  const db = openSqlite(config.databasePath);
  const now = () => new Date();
  const monotonic = () => performance.now();
  const table = sqliteBuildTable(db);
  const records = sqliteRecordStore(db);
  return {
    builds: isAlone ? rememberDoneBuilds(table) : table,
    clientBuilds: sqliteClientBuilds(db),
    queue: sqliteBuildQueue(db, { pollMs: config.WORKER_POLL_SECONDS * 1000 }),
    positions: sqliteQueuePositions(db),
    sweep: sqliteBuildSweep(db, monotonic),
    statistics: sqliteStatistics(db),
    records,
    pace: buildPace(records, monotonic),
    artifacts: diskArtifactStore(config.artifactDir),
    now,
    monotonic,
    checkDatabase: sqliteWriteCheck(db),
    close: () => db.close(),
  };
}

export type StandaloneState = ReturnType<typeof openState>;
