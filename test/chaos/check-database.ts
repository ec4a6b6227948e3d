import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { BUILD_COLUMNS, buildOf } from '#adapters/sqlite/build-row.ts';
import type { Build } from '#core/build/build.ts';
import { storedFaults } from './stored-faults.ts';
import type { StoredFault } from './system.ts';

/** Returns what is wrong with the data directory of a stopped server: its database, and its files against the rows. */
export async function checkDatabase(directory: string): Promise<StoredFault[]> {
  const db = new DatabaseSync(join(directory, 'asu.db'));
  try {
    const builds = db.prepare(`SELECT ${BUILD_COLUMNS} FROM builds`).all().map(buildOf);
    const root = join(directory, 'public');
    const store = {
      read: (key: string) => readFile(join(root, key)).catch(() => undefined),
      names: (folder: string) => readdir(join(root, folder)).catch(() => []),
    };
    return [...integrityFaults(db), ...countFaults(db), ...messageFaults(db, builds), ...(await storedFaults(builds, store))];
  } finally {
    db.close();
  }
}

function integrityFaults(db: DatabaseSync): StoredFault[] {
  const said = db
    .prepare('PRAGMA integrity_check')
    .all()
    .map((row) => String(row['integrity_check']));
  const keys = db.prepare('PRAGMA foreign_key_check').all();
  return [
    ...said.filter((line) => line !== 'ok').map((line) => ({ promise: 'database', text: `PRAGMA integrity_check says: ${line}` })),
    ...keys.map((row) => ({ promise: 'database', text: `PRAGMA foreign_key_check says: ${JSON.stringify(row)}` })),
  ];
}

/** Holds the counts to I7: each build that began has ended, in one way, or has not been reported yet. */
function countFaults(db: DatabaseSync): StoredFault[] {
  const sums = db.prepare('SELECT total(misses) AS misses, total(successes + failures + cancelled) AS ended FROM statistics_hours').get();
  const open = db.prepare('SELECT count(*) AS open FROM counted_builds WHERE is_ended = 0').get()?.['open'];
  const [misses, ended] = [Number(sums?.['misses']), Number(sums?.['ended'])];
  if (misses === ended + Number(open)) return [];
  return [{ promise: 'I7', text: `${misses} misses, but ${ended} builds that ended and ${open} that did not` }];
}

/** Each build that waits has a message, or has none on record, so that the sweeper sends one. */
function messageFaults(db: DatabaseSync, builds: readonly Build[]): StoredFault[] {
  const hashes = new Set(
    db
      .prepare('SELECT DISTINCT hash FROM messages')
      .all()
      .map((row) => String(row['hash'])),
  );
  return builds
    .filter((build) => build.state === 'queued' && build.sentAt !== undefined && !hashes.has(build.hash))
    .map(({ hash }) => ({ promise: 'I2', hash, text: 'the build waits, and its message is gone' }));
}
