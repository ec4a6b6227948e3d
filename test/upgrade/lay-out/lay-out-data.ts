import { chmod, cp, lstat, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Recording } from '../recordings.ts';
import { readdressed } from './catalogue-key.ts';
import { daysSince, shiftAllDays, shiftInstants, shiftMilliseconds } from './shift-days.ts';

/**
 * Writes a recording as a standalone server's data directory. The directory differs in four ways from the one that the earlier
 * version left, and none of them changes a format. Times move by whole days, so that builds which were to be kept for a week are
 * not expired (times inside documents and logs stay). Catalogue records belong to the upstream at `upstreamUrl`. Files that the
 * disk store names by inode number and time get the names that fit the copies. Caches and working directories are missing.
 */
export async function layOutData({ directory, facts }: Recording, dataDir: string, upstreamUrl: string, now = new Date()): Promise<void> {
  const days = daysSince(facts.recordedAt, now);
  await mkdir(dataDir, { recursive: true });
  await layOutDatabase(join(directory, 'asu.sql'), join(dataDir, 'asu.db'), days, (key) =>
    readdressed(key, facts.upstreamUrl, upstreamUrl),
  );
  await layOutObjects(join(directory, 'public'), join(dataDir, 'public'));
  await layOutKeys(join(directory, 'keys.json'), join(dataDir, 'keys'));
}

/** The columns that hold times, by table of the recorded versions. Migrations of later versions make their tables from these. */
const SHIFTED: Readonly<Record<string, readonly [column: string, shift: (value: never, days: number) => unknown][]>> = {
  builds: [['body', shiftInstants]],
  messages: [['visible_at', shiftMilliseconds]],
  dead_letters: [['buried_at', shiftMilliseconds]],
  statistics_hours: [['hour', shiftAllDays]],
  statistics_days: [['day', shiftAllDays]],
  counted_builds: [['enqueued_at', shiftAllDays]],
  build_errors: [['at', shiftAllDays]],
};

async function layOutDatabase(sqlFile: string, path: string, days: number, keyFor: (key: string) => string): Promise<void> {
  const db = new DatabaseSync(path);
  try {
    await chmod(path, 0o600);
    db.exec('PRAGMA journal_mode = WAL');
    db.exec(`BEGIN; ${await readFile(sqlFile, 'utf8')} COMMIT`);
    db.function('shifted', { deterministic: true }, (table, column, value) => {
      const [, shift] = SHIFTED[String(table)]?.find(([name]) => name === column) ?? [];
      return shift === undefined ? value : (shift(value as never, days) as string | number);
    });
    db.function('key_for', { deterministic: true }, (key) => keyFor(String(key)));
    for (const [table, columns] of Object.entries(SHIFTED))
      for (const [column] of columns) db.exec(`UPDATE ${table} SET ${column} = shifted('${table}', '${column}', ${column})`);
    db.exec('UPDATE records SET key = key_for(key)');
  } finally {
    db.close();
  }
}

async function layOutObjects(from: string, to: string): Promise<void> {
  await cp(from, to, { recursive: true });
  const directory = join(to, '~meta');
  for (const name of await readdir(directory)) {
    const { key } = JSON.parse(await readFile(join(directory, name), 'utf8')) as { key: string };
    const object = await lstat(join(to, key)).catch(() => undefined);
    // The object was removed, its meta not yet: the name fits no object, as before.
    if (object === undefined) continue;
    const { ino, mtimeMs, size } = object;
    const identity = [ino, Math.round(mtimeMs * 1000), size].map((number) => number.toString(36)).join('-');
    await rename(join(directory, name), join(directory, identity));
  }
}

async function layOutKeys(file: string, to: string): Promise<void> {
  await mkdir(to, { mode: 0o700 });
  const keys = JSON.parse(await readFile(file, 'utf8')) as Record<string, string>;
  for (const [name, content] of Object.entries(keys))
    await writeFile(join(to, name), Buffer.from(content, 'base64'), { mode: name.endsWith('.pub') ? 0o644 : 0o600 });
}
