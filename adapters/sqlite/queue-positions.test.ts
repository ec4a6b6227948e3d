import { expect, it } from 'vitest';
import { queuePositionsContract } from '#test/contracts/queue-positions.ts';
import { sqliteBuildTable } from './build-table.ts';
import { openSqlite } from './open-sqlite.ts';
import { COUNT_AHEAD, COUNT_RUNNING, COUNT_WAITING, FIND_OLDEST, sqliteQueuePositions } from './queue-positions.ts';

queuePositionsContract('sqlite', () => {
  const db = openSqlite(':memory:');
  return { table: sqliteBuildTable(db), positions: sqliteQueuePositions(db) };
});

it.each([COUNT_WAITING, COUNT_AHEAD, COUNT_RUNNING])('counts in an index that has no finished builds', (sql) => {
  const db = openSqlite(':memory:');
  const plan = db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...(sql.includes('?') ? ['hash'] : []));
  expect(plan[0]?.['detail']).toMatch(/ builds USING COVERING INDEX builds_(waiting|running)/);
});

it('finds the oldest build at the beginning of an index', () => {
  const db = openSqlite(':memory:');
  const plan = db.prepare(`EXPLAIN QUERY PLAN ${FIND_OLDEST}`).all();
  expect(plan.map((step) => step['detail'])).toEqual(['SEARCH builds USING INDEX builds_queued']);
});
