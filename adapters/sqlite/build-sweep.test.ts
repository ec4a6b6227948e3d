import { buildSweepContract } from '#test/contracts/build-sweep.ts';
import { sqliteBuildSweep } from './build-sweep.ts';
import { sqliteBuildTable } from './build-table.ts';
import { openSqlite } from './open-sqlite.ts';

buildSweepContract('sqlite', () => {
  const db = openSqlite(':memory:');
  return { table: sqliteBuildTable(db), sweep: sqliteBuildSweep(db) };
});
