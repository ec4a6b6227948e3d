import { lutimes, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { diskArtifactStore } from '#adapters/disk/artifact-store.ts';
import { sqliteBuildTable } from '#adapters/sqlite/build-table.ts';
import { openSqlite } from '#adapters/sqlite/open-sqlite.ts';
import { artifactKeys, fileMeta, recordMeta, resultMeta } from '#core/build/artifact-keys.ts';
import type { BinDir } from '#core/request/request-hash.ts';
import { jsonLog } from '#observe/log.ts';
import { at, done, freshBinDir, freshHash, queued, running, sampleOrder } from '#test/contracts/sample-builds.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { removeUnreferenced } from './remove-unreferenced.ts';

const DAYS = 86_400_000;

it.each([
  ['result', artifactKeys.success, true],
  ['failure', artifactKeys.failure, false],
  ['result of an earlier version', artifactKeys.formerOutcome, true],
  ['failure of an earlier version', artifactKeys.formerOutcome, false],
])('removes artefacts that should have expired a week ago, unless a row refers to their %s', async (_, recordKey, isResult) => {
  const directory = await temporaryDirectory();
  const artifacts = diskArtifactStore(directory);
  const builds = sqliteBuildTable(openSqlite(':memory:'));

  const hash = freshHash();
  const { current } = await builds.claim(queued(hash), sampleOrder(hash), at(0));
  const taken = running(current, 'runner');
  await builds.transition(current, taken);
  await builds.transition(taken, done(taken));

  const write = async (binDir: BinDir, requestHash: string, days: number) => {
    const result = artifactKeys.result(requestHash as typeof hash);
    await artifacts.put(artifactKeys.file(binDir, 'a.bin'), 'x', fileMeta('a.bin'));
    const record = { request_hash: requestHash, ...(isResult && { bin_dir: binDir }) };
    await artifacts.put(recordKey(binDir), JSON.stringify(record), recordMeta('application/json'));
    await artifacts.put(result, '{}', resultMeta(false));
    const date = new Date(Date.now() - days * DAYS);
    for (const key of [artifactKeys.file(binDir, 'a.bin'), recordKey(binDir), result]) await lutimes(join(directory, key), date, date);
  };
  const [earlierAttempt, lost, young] = [freshBinDir(), freshBinDir(), freshBinDir()];
  const [lostHash, youngHash] = [freshHash(), freshHash()];
  await write(taken.binDir, hash, 100);
  await write(earlierAttempt, hash, 100);
  await write(lost, lostHash, 14.1);
  await write(young, youngHash, 13.9);

  const stop = new AbortController();
  const removed: number[] = [];
  const troubles: unknown[] = [];
  await removeUnreferenced(
    {
      directory,
      artifacts,
      builds,
      timesToLive: { buildSeconds: 7 * 86_400, unversionedSeconds: 100, defaultsSeconds: 100, failureSeconds: 100 },
      now: () => new Date(),
      onRemoved: (count) => {
        removed.push(count);
        stop.abort();
      },
      onError: (error) => {
        troubles.push(error);
        stop.abort();
      },
    },
    stop.signal,
  );
  expect(troubles).toEqual([]);
  expect(removed).toEqual([3]);
  for (const prefix of ['store', 'logs']) expect((await readdir(join(directory, prefix))).sort()).toEqual([taken.binDir, young].sort());
  expect((await readdir(join(directory, 'api/v1/build'))).sort()).toEqual([hash, youngHash].sort());
});

it('logs why an object cannot be read, but not its key, which may belong to a private build', async () => {
  const directory = await temporaryDirectory();
  const artifacts = diskArtifactStore(directory);
  const binDir = freshBinDir();
  await artifacts.put(artifactKeys.file(binDir, 'a.bin'), 'x', fileMeta('a.bin'));
  const old = new Date(Date.now() - 100 * DAYS);
  await lutimes(join(directory, artifactKeys.file(binDir, 'a.bin')), old, old);
  const stop = new AbortController();
  const lines: string[] = [];
  const log = jsonLog('debug', (line) => lines.push(line));
  await removeUnreferenced(
    {
      directory,
      artifacts: { ...artifacts, read: (key) => Promise.reject(Object.assign(new Error(`cannot read ${key}`), { code: 'EIO' })) },
      builds: sqliteBuildTable(openSqlite(':memory:')),
      timesToLive: { buildSeconds: 100, unversionedSeconds: 100, defaultsSeconds: 100, failureSeconds: 100 },
      now: () => new Date(),
      onRemoved: () => stop.abort(),
      onError: (error) => {
        log.error('old artefacts could not be removed', { error });
        stop.abort();
      },
    },
    stop.signal,
  );
  expect(lines.join('')).toContain('EIO');
  expect(lines.join('')).not.toMatch(/logs\/|store\//);
});
