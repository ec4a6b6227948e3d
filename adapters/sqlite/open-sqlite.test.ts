import { chmodSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { freshHash, queued, sampleOrder } from '#test/contracts/sample-builds.ts';
import { sqliteBuildQueue } from './build-queue.ts';
import { sqliteBuildTable } from './build-table.ts';
import { openSqlite } from './open-sqlite.ts';
import { MIGRATIONS } from './schema.ts';
import { freshFile, startProcesses } from './testing/processes.ts';

/** The last version of the schema in which `visible_at` was a time of day. */
const VISIBLE_BY_TIME_OF_DAY = 4;

describe('openSqlite', () => {
  it('creates missing directories and a file that only its owner can read', async () => {
    const file = join(dirname(await freshFile()), 'deep', 'er', 'asu.db');
    const db = openSqlite(file);
    db.exec(`INSERT INTO records (key, body, version) VALUES ('k', 'b', 1)`);
    for (const suffix of ['', '-wal', '-shm']) expect(statSync(file + suffix).mode & 0o777).toBe(0o600);
    db.close();
  });

  it('uses a write-ahead log, syncs every commit and checks foreign keys', async () => {
    const db = openSqlite(await freshFile());
    expect(db.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
    expect(db.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: 2 });
    expect(db.prepare('PRAGMA foreign_keys').get()).toEqual({ foreign_keys: 1 });
    expect(() => db.exec(`INSERT INTO build_orders (hash, body) VALUES ('x', '{}')`)).toThrow(/FOREIGN KEY/);
    db.close();
  });

  it('creates the schema once when eight processes open one new file at once', async () => {
    const file = await freshFile();
    await startProcesses(file, 8);
    const db = openSqlite(file);
    expect(db.prepare('PRAGMA user_version').get()).toEqual({ user_version: MIGRATIONS.length });
    expect(db.prepare('SELECT count(*) AS n FROM tickets').get()).toEqual({ n: 1 });
    expect(db.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
    db.close();
  });

  it('refuses the database of a later version, and leaves it as it is', async () => {
    const file = await freshFile();
    const later = openSqlite(file);
    later.exec(`PRAGMA user_version = ${MIGRATIONS.length + 1}`);
    later.close();
    expect(() => openSqlite(file)).toThrow(/schema version/);
    const db = new DatabaseSync(file);
    expect(db.prepare('PRAGMA user_version').get()).toEqual({ user_version: MIGRATIONS.length + 1 });
    db.close();
  });

  it('delivers the messages of an earlier database, which hid them until a time of day', async () => {
    const file = await freshFile();
    const old = new DatabaseSync(file);
    for (const step of MIGRATIONS.slice(0, VISIBLE_BY_TIME_OF_DAY)) old.exec(step);
    old.exec(`PRAGMA user_version = ${VISIBLE_BY_TIME_OF_DAY}`);
    const hashes = [freshHash(), freshHash(), freshHash()];
    const send = old.prepare('INSERT INTO messages (hash, correlation_id, visible_at, receipt) VALUES (?, ?, ?, ?)');
    const now = Date.now();
    for (const [i, visibleAt] of [now - 1_000, now + 30_000, now + 3_600_000].entries())
      send.run(hashes[i] ?? '', 'old', visibleAt, i === 1 ? 'held by a runner that is gone' : null);
    old.close();

    const db = openSqlite(file);
    const queue = sqliteBuildQueue(db);
    const received = [];
    for (const _ of hashes) received.push(await queue.receive({ visibilitySeconds: 60, signal: AbortSignal.timeout(2_000) }));
    expect(received.map((message) => message?.hash)).toEqual(hashes);
    db.close();
  });

  it('refuses a file that is not a database', async () => {
    const file = await freshFile();
    writeFileSync(file, 'not a database, but long enough to be looked at: '.repeat(100));
    chmodSync(file, 0o600);
    expect(() => openSqlite(file)).toThrow(/not a database/);
  });

  it('leaves nothing of a write when the disk is full, and works again when there is space', async () => {
    const db = openSqlite(await freshFile());
    const table = sqliteBuildTable(db);
    const kept = freshHash();
    await table.claim(queued(kept), sampleOrder(kept), new Date(0));
    const { page_count: pages } = db.prepare('PRAGMA page_count').get() as { page_count: number };
    // A database at its size limit fails as on a full disk: with SQLITE_FULL in the middle of the transaction.
    db.exec(`PRAGMA max_page_count = ${pages}`);
    const refused = freshHash();
    const bigOrder = sampleOrder(
      refused,
      Array.from({ length: 900 }, (_, i) => `package-with-a-long-name-${i}`),
    );
    await expect(table.claim(queued(refused), bigOrder, new Date(0))).rejects.toThrow(/full/);
    expect(db.isTransaction).toBe(false);
    expect(await table.get(refused)).toBeUndefined();
    expect(await table.get(kept)).toMatchObject({ state: 'queued' });
    db.exec('PRAGMA max_page_count = 1000000');
    expect((await table.claim(queued(refused), bigOrder, new Date(0))).won).toBe(true);
    expect(await table.order(refused)).toEqual(bigOrder);
    db.close();
  });
});
