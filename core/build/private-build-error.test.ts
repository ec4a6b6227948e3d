import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { sqliteBuildQueue } from '#adapters/sqlite/build-queue.ts';
import { sqliteBuildSweep } from '#adapters/sqlite/build-sweep.ts';
import { sqliteBuildTable } from '#adapters/sqlite/build-table.ts';
import { openSqlite } from '#adapters/sqlite/open-sqlite.ts';
import { sqliteQueuePositions } from '#adapters/sqlite/queue-positions.ts';
import { DEFAULT_BRANCHES } from '#core/catalogue/branches.ts';
import type { Catalogue } from '#core/catalogue/catalogue.ts';
import { buildRequestParser } from '#core/request/parse-build-request.ts';
import { storeApp } from '#functions/store/app.ts';
import { httpApp } from '#http/http-app.ts';
import { jsonLog } from '#observe/log.ts';
import { at, done, freshBinDir, freshHash, queued, running, sampleOrder } from '#test/contracts/sample-builds.ts';
import { memoryArtifactStore } from '#test/support/memory-artifact-store.ts';
import { scriptedImageMaker } from '#test/support/scripted-image-maker.ts';
import type { QueuedBuild } from './build.ts';
import { getBuildStatus } from './build-status.ts';
import { runBuild } from './run-build.ts';
import { submitBuild } from './submit-build.ts';
import { recoverAllBuilds } from './sweep.ts';

/** Fails like a disk or AWS, whose errors name what was asked for. */
const telling = (): Promise<never> =>
  Promise.reject(Object.assign(new Error('EACCES: /srv/store/secret-package'), { code: 'EACCES', cause: new Error('secret-package') }));
const TTL = { buildSeconds: 600, unversionedSeconds: 600, defaultsSeconds: 600, failureSeconds: 600 };

async function world(isPrivate: boolean) {
  const db = openSqlite(':memory:');
  const builds = sqliteBuildTable(db);
  const queue = sqliteBuildQueue(db);
  const hash = freshHash();
  const accepted = (await builds.claim({ ...queued(hash), isPrivate }, sampleOrder(hash), at(0))).current as QueuedBuild;
  const base = { builds, queue, artifacts: memoryArtifactStore(), now: () => at(1), monotonic: () => 0, timesToLive: TTL };
  return { db, hash, accepted, base, positions: sqliteQueuePositions(db) };
}

/** Returns what the process logs for an error when it does not know which build the error belongs to. */
async function loggedOf(work: Promise<unknown>): Promise<string> {
  const lines: string[] = [];
  const log = jsonLog('debug', (line) => lines.push(line));
  await work.catch((error) => log.error('state could not be used', { error }));
  return lines.join('');
}

const PATHS: Record<string, (isPrivate: boolean) => Promise<string>> = {
  'the runner, after the build': async (isPrivate) => {
    const { base, hash } = await world(isPrivate);
    const message = { hash, correlationId: 'test', receipt: 'none' };
    const imageMaker = scriptedImageMaker();
    const make: typeof imageMaker.make = async (...build) => ({ ...(await imageMaker.make(...build)), dispose: telling });
    const deps = { ...base, imageMaker: { make }, newAttemptId: randomUUID, every: () => () => undefined };
    return loggedOf(runBuild(deps, message, new AbortController().signal));
  },
  'a server that starts': async (isPrivate) => {
    const { base, accepted, db } = await world(isPrivate);
    await base.builds.transition(accepted, running(accepted, 'runner'));
    const artifacts = { ...base.artifacts, remove: telling };
    return loggedOf(recoverAllBuilds({ ...base, artifacts, sweep: sqliteBuildSweep(db) }));
  },
  'a reader of its state': async (isPrivate) => {
    const { base, accepted, hash, positions } = await world(isPrivate);
    const taken = running(accepted, 'runner');
    await base.builds.transition(accepted, taken);
    await base.builds.transition(taken, done(taken));
    return loggedOf(getBuildStatus({ ...base, positions, artifacts: { ...base.artifacts, read: telling } }, hash));
  },
  'a request whose message cannot be sent': (isPrivate) => submitted(isPrivate, 'send'),
  'a request that cannot be stored': (isPrivate) => submitted(isPrivate, 'claim'),
};

async function submitted(isPrivate: boolean, broken: 'send' | 'claim'): Promise<string> {
  const { base, positions } = await world(isPrivate);
  const record = {
    ...{ version: 'SNAPSHOT', target: 'x86/64', versionPath: 'snapshots', arch: 'x86_64', revision: 'r1-1111111111', defaultPackages: [] },
    profiles: { generic: { id: 'generic', devicePackages: [], supportedDevices: [], raw: {} } },
    ...{ metadata: {}, imagebuilder: { name: 'ib.tar.zst', sha256: 'a'.repeat(64) }, indexes: {}, fetchedAt: '2026-11-01T00:00:00.000Z' },
  };
  const catalogue: Catalogue = {
    versions: async () => ({ list: [] }),
    hasVersion: async () => true,
    hasArch: async () => true,
    targets: async () => ({ 'x86/64': 'x86_64' }),
    target: async () => record,
    packages: async () => undefined,
    feeds: async () => ({}),
  };
  const body = { version: 'SNAPSHOT', target: 'x86/64', profile: 'generic', packages: ['vim'] };
  const request = buildRequestParser()({ ...body, ...(isPrivate && { defaults: 'uci set' }) });
  const failures: Promise<never>[] = [];
  const deps = {
    ...base,
    ...{ catalogue, positions, policy: { allowDefaults: true, repositoryAllowList: [], branches: DEFAULT_BRANCHES } },
    ...(broken === 'send' ? { queue: { ...base.queue, send: telling } } : { builds: { ...base.builds, claim: telling } }),
    maxPendingBuilds: () => 100,
    onSendFailure: (error: unknown) => void failures.push(Promise.reject(error)),
  };
  const logged = await loggedOf(submitBuild(deps, request, { correlationId: 'test' }));
  return logged + (await Promise.all(failures.map(loggedOf))).join('');
}

describe.each(Object.entries(PATHS))('an unexpected error met by %s', (_, logged) => {
  it('is logged without its text when the build is private', async () => {
    const line = await logged(true);
    expect(line).not.toContain('secret-package');
    expect(line).toContain('EACCES');
    expect(line).toMatch(/at .*private-build-error\.test\.ts/);
  });

  it('is logged with its text when the build is public', async () => {
    expect(await logged(false)).toContain('EACCES: /srv/store/secret-package');
  });
});

it('an error of the store is logged without its text, and its path without the file name', async () => {
  const lines: string[] = [];
  const log = jsonLog('debug', (line) => lines.push(line));
  const binDir = freshBinDir();
  const app = httpApp({ log }, storeApp({ artifacts: { ...memoryArtifactStore(), stat: telling } }));
  expect((await app.request(`/store/${binDir}/secret-package.bin`)).status).toBe(500);
  expect(lines.join('')).toContain('request failed');
  expect(lines.join('')).toContain('EACCES');
  expect(lines.join('')).not.toContain('secret-package');
});
