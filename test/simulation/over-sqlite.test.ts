import { expect, it } from 'vitest';
import { openSqlite } from '#adapters/sqlite/open-sqlite.ts';
import { sqliteStatistics } from '#adapters/sqlite/statistics.ts';
import { NO_FIGURES, sumOf } from '#core/statistics/counts.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { overSqlite } from './over-sqlite.ts';
import { simulate } from './simulate.ts';

const SEEDS = Array.from({ length: 12 }, (_, index) => index + 1);

it.each(SEEDS)('seed %i keeps every promise over SQLite and a directory, which answer as the stores in memory do', async (seed) => {
  const db = openSqlite(':memory:');
  const { broken, faults, steps } = await simulate({ seed, over: overSqlite(db, await temporaryDirectory()) });
  const hours = await sqliteStatistics(db).figures('hour', new Date('2026-11-20T00:00:00Z'), new Date('2026-11-21T00:00:00Z'));
  const { misses, successes, failures, cancelled } = sumOf([NO_FIGURES, ...hours]);
  db.close();
  expect(broken?.message).toBeUndefined();
  expect(steps).toBeGreaterThan(100);
  expect(faults.length).toBeGreaterThan(0);
  expect(misses).toBe(successes + failures + cancelled);
});
