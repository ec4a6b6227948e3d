import { createHash } from 'node:crypto';
import { appendFile, mkdir, open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { diskArtifactStore } from '#adapters/disk/artifact-store.ts';
import { sqliteBuildQueue } from '#adapters/sqlite/build-queue.ts';
import { sqliteBuildTable } from '#adapters/sqlite/build-table.ts';
import { openSqlite } from '#adapters/sqlite/open-sqlite.ts';
import { sqliteStatistics } from '#adapters/sqlite/statistics.ts';
import { artifactKeys, fileMeta, recordMeta, resultMeta } from '#core/build/artifact-keys.ts';
import type { DoneBuild, QueuedBuild } from '#core/build/build.ts';
import { claimed, moved, started } from '#test/contracts/drive-build.ts';
import { done, freshBinDir, freshHash } from '#test/contracts/sample-builds.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { checkDatabase } from './check-database.ts';

const FILES = { 'a.img.gz': 'an image', 'a.manifest': 'vim - 9.1-r1\n' };
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

let directory: string;
let finished: DoneBuild;
let waiting: QueuedBuild;
const at = (...path: string[]) => join(directory, 'public', ...path);
const faults = async () => (await checkDatabase(directory)).map(({ promise, text }) => `${promise}: ${text}`);

/** A data directory with a finished and a waiting build, as a server leaves it. */
beforeEach(async () => {
  directory = await temporaryDirectory();
  const db = openSqlite(join(directory, 'asu.db'));
  const builds = sqliteBuildTable(db);
  const statistics = sqliteStatistics(db);
  const store = diskArtifactStore(at());
  const attempt = await started(builds, 'runner');
  finished = await moved(builds, attempt, done(attempt));
  const rest = await claimed(builds);
  waiting = await moved(builds, rest, { ...rest, sentAt: rest.queuedAt });
  await sqliteBuildQueue(db).send({ hash: waiting.hash, correlationId: 'test' });
  await statistics.started(finished);
  await statistics.ended({ ...finished, endedAt: finished.finishedAt, outcome: 'success', milliseconds: 1, packages: [] });

  const contents: Record<string, string> = { ...FILES };
  contents['sha256sums'] = Object.entries(FILES)
    .map(([name, text]) => `${sha256(text)} *${name}\n`)
    .join('');
  const files = Object.entries(contents).map(([name, text]) => ({ name, size: text.length, sha256: sha256(text) }));
  for (const [name, text] of Object.entries(contents)) await store.put(artifactKeys.file(finished.binDir, name), text, fileMeta(name));
  const document = JSON.stringify({
    request_hash: finished.hash,
    bin_dir: finished.binDir,
    files,
    images: files.slice(0, 1),
    manifest: { vim: '9.1-r1' },
  });
  await store.put(artifactKeys.success(finished.binDir), document, recordMeta('application/json'));
  await store.put(artifactKeys.result(finished.hash), document, resultMeta(false));
  db.close();
});

/** Changes the database behind the server's back. */
const change = (statement: string) => {
  const db = openSqlite(join(directory, 'asu.db'));
  db.exec(statement);
  db.close();
};

describe('a data directory', () => {
  it('is taken as a server leaves it', async () => {
    expect(await faults()).toEqual([]);
  });

  it.each<[string, string, () => unknown]>([
    ['a changed file', 'I3: in the store, a.img.gz', () => appendFile(at('store', finished.binDir, 'a.img.gz'), '!')],
    ['a missing file', 'I3: in the store, a.img.gz', () => rm(at('store', finished.binDir, 'a.img.gz'))],
    ['a missing result', 'I3: the build is done, and', () => rm(at('logs', finished.binDir, 'result.json'))],
    ['another published result', 'I4: the published result', () => writeFile(at('api/v1/build', finished.hash), '{}')],
    ['a published result of a waiting build', 'I4: the build is queued', () => writeFile(at('api/v1/build', waiting.hash), '{}')],
    ['an orphan directory of images', 'no orphans: no row names store/', () => mkdir(at('store', freshBinDir()))],
    ['an orphan directory of records', 'no orphans: no row names logs/', () => mkdir(at('logs', freshBinDir()))],
    ['an orphan result', 'no orphans: no row names api/v1/build/', () => writeFile(at('api/v1/build', freshHash()), '{}')],
    ['a lost message', 'I2: the build waits, and its message is gone', () => change('DELETE FROM messages')],
    [
      'a build that is never given up',
      'I8: the build began 4 attempts',
      () => change("UPDATE builds SET body = json_set(body, '$.attempt', 4)"),
    ],
    ['a lost count', 'I7: 1 misses, but 0 builds that ended', () => change('UPDATE statistics_hours SET successes = 0')],
  ])('is refused: %s', async (_, fault, doctor) => {
    await doctor();
    expect((await faults()).join('\n')).toContain(fault);
  });

  it('may have an orphan that a kill left, which the clean-up of the server removes, and nothing else', async () => {
    const orphan = freshBinDir();
    await mkdir(at('logs', orphan));
    await writeFile(at('logs', orphan, 'build.log'), 'begun');
    expect(await checkDatabase(directory, [Date.now() - 3_600_000])).toMatchObject([{ promise: 'no orphans' }]);
    expect(await checkDatabase(directory, [Date.now()])).toEqual([]);
    expect(await faults()).toEqual([]);
  });

  it('is refused: a damaged database', async () => {
    change('PRAGMA journal_mode = DELETE; CREATE TABLE filler (text); INSERT INTO filler VALUES (hex(randomblob(50000)))');
    const file = await open(join(directory, 'asu.db'), 'r+');
    const { size } = await file.stat();
    // The last page belongs to the filler alone, so that the rows can still be read.
    await file.write(Buffer.alloc(4096, 0xff), 0, 4096, size - 4096);
    await file.close();
    expect((await faults()).join('\n')).toContain('database: PRAGMA integrity_check says');
  });
});
