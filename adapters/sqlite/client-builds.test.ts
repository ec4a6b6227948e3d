import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import { clientBuildsContract } from '#test/contracts/client-builds.ts';
import { freshHash, queued } from '#test/contracts/sample-builds.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { sqliteBuildTable } from './build-table.ts';
import { COUNT_OTHERS, COUNT_OWN, COUNT_WITHIN, sqliteClientBuilds } from './client-builds.ts';
import { openSqlite } from './open-sqlite.ts';
import { MIGRATIONS } from './schema.ts';

clientBuildsContract(async () => {
  const db = openSqlite(':memory:');
  return { table: sqliteBuildTable(db), clients: sqliteClientBuilds(db) };
});

it('counts a build that a server without client names accepted as a build of another client', async () => {
  const directory = await temporaryDirectory();
  const path = join(directory, 'asu.db');
  const old = new DatabaseSync(path);
  for (const step of MIGRATIONS.slice(0, 3)) old.exec(step);
  old.exec('PRAGMA user_version = 3');
  const build = queued(freshHash());
  old.prepare('INSERT INTO builds (hash, ticket, body, state) VALUES (?, 1, ?, ?)').run(build.hash, JSON.stringify(build), 'queued');
  old.close();

  const db = openSqlite(path);
  const clients = sqliteClientBuilds(db);
  expect([await clients.pending('a'), await clients.othersWaiting('a'), await clients.waitingWithin(1)]).toEqual([0, 1, 1]);
  const known = await sqliteBuildTable(db).get(build.hash);
  expect(known).toEqual({ ...build, ticket: 1 });
  db.close();
});

it('counts in the index of pending builds, and never reads the table', () => {
  const db = openSqlite(':memory:');
  for (const sql of [COUNT_OWN, COUNT_OTHERS, COUNT_WITHIN])
    for (const { detail } of db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all('x'))
      if (/builds/.test(String(detail))) expect(detail).toMatch(/USING COVERING INDEX builds_of_clients/);
});
