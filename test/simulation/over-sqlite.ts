import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { diskArtifactStore } from '#adapters/disk/artifact-store.ts';
import { sqliteBuildQueue } from '#adapters/sqlite/build-queue.ts';
import { sqliteBuildSweep } from '#adapters/sqlite/build-sweep.ts';
import { sqliteBuildTable } from '#adapters/sqlite/build-table.ts';
import { sqliteQueuePositions } from '#adapters/sqlite/queue-positions.ts';
import { sqliteRecordStore } from '#adapters/sqlite/record-store.ts';
import { sqliteStatistics } from '#adapters/sqlite/statistics.ts';
import type { BuildQueue } from '#core/build/ports.ts';
import { beside, inOneOrder } from './ports/beside.ts';
import type { WorldOptions } from './world.ts';

/**
 * Returns the ports of a standalone server: SQLite and a directory. The queue is the real one alone, on the simulated
 * clock, since the one in memory delivers in another order.
 */
export const overSqlite =
  (db: DatabaseSync, directory: string): NonNullable<WorldOptions['over']> =>
  (inMemory, { time, differs }) => {
    const work = join(directory, 'work');
    const table = beside(inMemory.builds, sqliteBuildTable(db), { name: 'builds', differs });
    const countMessages = db.prepare('SELECT count(*) AS count FROM messages');
    return {
      builds: table,
      buildsBehind: table,
      positionsOfProcess: () => beside(inMemory.positionsOfProcess(), sqliteQueuePositions(db), { name: 'positions', differs }),
      sweep: beside(inMemory.sweep, sqliteBuildSweep(db, time), { name: 'sweep', differs, common: inOneOrder }),
      queue: withoutWaiting(sqliteBuildQueue(db, { clock: { boot: 'simulated', milliseconds: time } })),
      messagesLeft: () => Number(countMessages.get()?.['count']),
      artifacts: beside(inMemory.artifacts, diskArtifactStore(join(directory, 'artifacts')), {
        name: 'artifacts',
        differs,
        realInput: (method, [key, path, ...rest]) => [key, method === 'putFile' ? join(work, String(path)) : path, ...rest],
      }),
      records: sqliteRecordStore(db),
      statistics: beside(inMemory.statistics, sqliteStatistics(db), { name: 'statistics', differs, common: inOneOrder }),
      // The maker's files are no port: simulated time would go on while it waits for a real disk.
      disk: {
        write: async (path, text) => {
          await inMemory.disk.write(path, text);
          mkdirSync(dirname(join(work, path)), { recursive: true });
          writeFileSync(join(work, path), text);
        },
        remove: async (path) => {
          await inMemory.disk.remove(path);
          rmSync(join(work, path), { force: true });
        },
      },
    };
  };

/** Returns the queue with a `receive` that looks once: it begins to look before the signal aborts. */
const withoutWaiting = (queue: BuildQueue): BuildQueue => ({
  ...queue,
  receive: ({ visibilitySeconds }) => {
    const once = new AbortController();
    const received = queue.receive({ visibilitySeconds, signal: once.signal });
    once.abort();
    return received;
  },
});
