import { expect, it } from 'vitest';
import { buildSweepContract } from '#test/contracts/build-sweep.ts';
import { claimed, moved } from '#test/contracts/drive-build.ts';
import { at, cancelled, iso } from '#test/contracts/sample-builds.ts';
import { sqliteBuildSweep } from './build-sweep.ts';
import { sqliteBuildTable } from './build-table.ts';
import { openSqlite } from './open-sqlite.ts';

buildSweepContract('sqlite', () => {
  const db = openSqlite(':memory:');
  return { table: sqliteBuildTable(db), sweep: sqliteBuildSweep(db) };
});

it('finds a build whose end lies in the future once it has been seen for as long as it was to be kept, and not before', async () => {
  const db = openSqlite(':memory:');
  const table = sqliteBuildTable(db);
  const clock = { ms: 0 };
  const sweep = sqliteBuildSweep(db, () => clock.ms);
  const build = await claimed(table);
  const ended = await moved(table, build, { ...cancelled(build, 110), finishedAt: iso(100) });
  expect(await sweep.expired(at(0), 9)).toEqual([]);
  clock.ms = 10 * 60_000 - 1;
  expect(await sweep.expired(at(9), 9)).toEqual([]);
  clock.ms += 1;
  expect(await sweep.expired(at(10), 9)).toEqual([ended]);
  // The clock of the process that wrote it may be a minute ahead of this one.
  expect(await sweep.expired(at(99), 9)).toEqual([]);
});
