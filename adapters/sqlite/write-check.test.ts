import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { openSqlite } from './open-sqlite.ts';
import { sqliteWriteCheck } from './write-check.ts';

it('passes every time when the database can be written, and fails when it can only be read', async () => {
  const directory = await temporaryDirectory();
  const path = join(directory, 'asu.db');
  const db = openSqlite(path);
  const check = sqliteWriteCheck(db);
  await check();
  await check();
  const reader = new DatabaseSync(path, { readOnly: true });
  await expect(sqliteWriteCheck(reader)()).rejects.toThrow('readonly');
  reader.close();
  db.close();
});
