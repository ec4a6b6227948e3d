import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { diskArtifactStore } from '#adapters/disk/artifact-store.ts';
import { BUILD_COLUMNS, buildOf } from '#adapters/sqlite/build-row.ts';
import { sqliteBuildTable } from '#adapters/sqlite/build-table.ts';
import type { Build } from '#core/build/build.ts';
import { removeUnreferenced } from '#standalone/remove-unreferenced.ts';
import { type ReadStore, storedFaults, strayAttempts } from './stored-faults.ts';
import type { StoredFault } from './system.ts';

/**
 * Returns what is wrong with the data directory of a stopped server: its database, and its files against the rows.
 * `stops` are the times at which the server was killed or stopped. If a kill has left files, this runs the server's
 * clean-up of such files, after which there may be none.
 */
export async function checkDatabase(directory: string, stops: readonly number[] = []): Promise<StoredFault[]> {
  const db = new DatabaseSync(join(directory, 'asu.db'));
  try {
    const builds = db.prepare(`SELECT ${BUILD_COLUMNS} FROM builds`).all().map(buildOf);
    const root = join(directory, 'public');
    const store = readDirectory(root);
    const faults = [
      ...integrityFaults(db),
      ...countFaults(db),
      ...messageFaults(db, builds),
      ...(await storedFaults(builds, store, stops)),
    ];
    if (faults.length > 0 || (await strayAttempts(builds, store)).length === 0) return faults;
    await removeStrays(db, root);
    return storedFaults(builds, store);
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

const readDirectory = (root: string): ReadStore => ({
  read: (key) => readFile(join(root, key)).catch(() => undefined),
  names: async (folder) => {
    const names = await readdir(join(root, folder)).catch(() => []);
    return new Map(await Promise.all(names.map(async (name) => [name, await newestIn(join(root, folder, name))] as const)));
  },
});

async function newestIn(path: string): Promise<number> {
  const facts = await stat(path);
  if (!facts.isDirectory()) return facts.mtimeMs;
  const names = await readdir(path);
  return Math.max(facts.mtimeMs, ...(await Promise.all(names.map((name) => newestIn(join(path, name))))));
}

/** How far ahead the clock of the clean-up is: more than all lives of builds and its own patience. */
const AHEAD_MS = 90 * 86_400_000;
const CLEAN_UP_MS = 30_000;

/** Removes what no row names, as the server itself does every day. */
async function removeStrays(db: DatabaseSync, root: string): Promise<void> {
  const over = new AbortController();
  const end = () => over.abort();
  const timesToLive = { buildSeconds: 1, unversionedSeconds: 1, defaultsSeconds: 1, failureSeconds: 1 };
  const late = setTimeout(end, CLEAN_UP_MS);
  await removeUnreferenced(
    {
      directory: root,
      artifacts: diskArtifactStore(root),
      builds: sqliteBuildTable(db),
      timesToLive,
      now: () => new Date(Date.now() + AHEAD_MS),
      onRemoved: end,
      onError: end,
    },
    over.signal,
  );
  clearTimeout(late);
}
