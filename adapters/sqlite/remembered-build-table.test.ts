import { rememberDoneBuilds } from '#core/remember-done-builds.ts';
import { buildTableContract } from '#test/contracts/build-table.ts';
import { sqliteBuildTable } from './build-table.ts';
import { openSqlite } from './open-sqlite.ts';

buildTableContract('sqlite with finished builds remembered', () => rememberDoneBuilds(sqliteBuildTable(openSqlite(':memory:'))));
