import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { BUILD_COLUMNS, buildOf } from '#adapters/sqlite/build-row.ts';
import type { Build } from '#core/build/build.ts';
import { checkFiles, type ReadFile } from './check-files.ts';
import type { StoredFault } from './system.ts';

/** Returns what is wrong with the data directory of a stopped server: its database, and its files against the rows. */
export async function checkDatabase(directory: string): Promise<StoredFault[]> {
  const db = new DatabaseSync(join(directory, 'asu.db'));
  try {
    const builds = db.prepare(`SELECT ${BUILD_COLUMNS} FROM builds`).all().map(buildOf);
    const faults = [...integrityFaults(db), ...countFaults(db), ...messageFaults(db, builds)];
    for (const build of builds) faults.push(...(await rowFaults(join(directory, 'public'), build)));
    return [...faults, ...(await strayFaults(join(directory, 'public'), builds))];
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

async function rowFaults(root: string, build: Build): Promise<StoredFault[]> {
  const { hash, state } = build;
  const published = await textOf(join(root, 'api/v1/build', hash));
  if (state !== 'done') {
    if (published === undefined || state === 'expiring') return [];
    return [{ promise: 'I4', hash, text: `the build is ${state}, and a result is published` }];
  }
  const own = await textOf(join(root, 'logs', build.binDir, 'result.json'));
  if (own === undefined) return [{ promise: 'I3', hash, text: `the build is done, and ${build.binDir} has no result` }];
  const { faults } = await checkFiles(readIn(root), JSON.parse(own));
  const wrong = faults.map((text) => ({ promise: 'I3', hash, text: `on the disk, ${text}` }));
  return published === undefined || published === own
    ? wrong
    : [...wrong, { promise: 'I4', hash, text: 'the published result is another one' }];
}

/** Returns what is in the store and belongs to no row. */
async function strayFaults(root: string, builds: readonly Build[]): Promise<StoredFault[]> {
  const hashes = new Set<string>(builds.map(({ hash }) => hash));
  const attempts = new Set<string>(
    builds.flatMap((build) => [
      ...(build.previousBinDirs ?? []),
      ...('binDir' in build && build.binDir !== undefined ? [build.binDir] : []),
    ]),
  );
  const strays = async (folder: string, known: ReadonlySet<string>) =>
    (await readdir(join(root, folder)).catch(() => []))
      .filter((name) => !known.has(name))
      .map((name) => ({ promise: 'no orphans', text: `no row names ${folder}/${name}` }));
  return [...(await strays('store', attempts)), ...(await strays('logs', attempts)), ...(await strays('api/v1/build', hashes))];
}

const textOf = (path: string): Promise<string | undefined> => readFile(path, 'utf8').catch(() => undefined);

const readIn =
  (root: string): ReadFile =>
  async (path) => {
    const content = await readFile(join(root, path)).catch(() => undefined);
    return content === undefined ? { status: 404, content: Buffer.alloc(0) } : { status: 200, content };
  };
