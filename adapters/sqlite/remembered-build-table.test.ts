import { expect, it } from 'vitest';
import type { BuildTable } from '#core/build/ports.ts';
import { rememberDoneBuilds } from '#core/build/remember-done-builds.ts';
import { buildTableContract } from '#test/contracts/build-table.ts';
import { moved, rowIn } from '#test/contracts/drive-build.ts';
import { expiring } from '#test/contracts/sample-builds.ts';
import { sqliteBuildTable } from './build-table.ts';
import { openSqlite } from './open-sqlite.ts';

buildTableContract('sqlite with finished builds remembered', () => rememberDoneBuilds(sqliteBuildTable(openSqlite(':memory:'))));

it('does not remember a build whose read began before it started to expire, and ended after', async () => {
  const table = sqliteBuildTable(openSqlite(':memory:'));
  const read = Promise.withResolvers<void>();
  const slow: BuildTable = {
    ...table,
    get: async (hash) => {
      const build = await table.get(hash);
      await read.promise;
      return build;
    },
  };
  const remembering = rememberDoneBuilds(slow);
  const build = await rowIn(table, 'done');
  const reading = remembering.get(build.hash);
  const expired = await moved(remembering, build, expiring(build, 'sweep'));
  read.resolve();
  expect(await reading).toEqual(build);
  expect(await remembering.get(build.hash)).toEqual(expired);
});
