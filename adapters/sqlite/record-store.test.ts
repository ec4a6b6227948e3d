import { describe, expect, it } from 'vitest';
import { recordStoreContract } from '#test/contracts/record-store.ts';
import { openSqlite } from './open-sqlite.ts';
import { sqliteRecordStore } from './record-store.ts';
import { freshFile, startProcesses } from './testing/processes.ts';

recordStoreContract('sqlite', () => sqliteRecordStore(openSqlite(':memory:')));

describe('a record store in a file that four processes open', () => {
  it('loses no update', async () => {
    const file = await freshFile();
    const workers = await startProcesses(file, 4);
    await Promise.all(workers.map((worker) => worker.do({ kind: 'count', key: 'counter', times: 50 })));
    const db = openSqlite(file);
    expect((await sqliteRecordStore(db).get('counter'))?.body).toBe('200');
    db.close();
  });
});
