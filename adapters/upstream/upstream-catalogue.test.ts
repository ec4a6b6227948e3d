import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSqlite } from '#adapters/sqlite/open-sqlite.ts';
import { sqliteRecordStore } from '#adapters/sqlite/record-store.ts';
import type { Catalogue, TargetRecord } from '#core/catalogue/catalogue.ts';
import { targetIndexDocument, unknownPackages } from '#core/catalogue/package-index.ts';
import { UpstreamUnavailableError } from '#core/errors.ts';
import type { RecordStore } from '#core/stores.ts';
import type { Fault } from '#demo/upstream/faults.ts';
import { demoUpstreamDirectory } from '#demo/upstream/generate.ts';
import { type DemoUpstreamServer, serveDemoUpstream } from '#demo/upstream/serve.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { memoryRecordStore } from './memory-record-store.ts';
import { type UpstreamCatalogue, type UpstreamCatalogueOptions, upstreamCatalogue } from './upstream-catalogue.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const PATH = 'releases/24.10.2';
const TARGET = 'x86/64';
const DIRECTORY = `${PATH}/targets/${TARGET}`;

let upstream: DemoUpstreamServer;
let records: RecordStore;
let time: number;
/** How far the time of day has been set since the start. */
let set: number;
/**
 * The failures that this test's catalogues report. A refresh of an earlier test may still fail when its upstream is
 * gone.
 */
let failures: string[];
const servers: DemoUpstreamServer[] = [];

beforeEach(async () => {
  upstream = await serve();
  records = sqliteRecordStore(openSqlite(':memory:'));
  time = Date.parse('2026-01-01T00:00:00Z');
  set = 0;
  failures = [];
});

afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));

async function serve(directory?: string) {
  const server = await serveDemoUpstream(directory === undefined ? {} : { directory });
  servers.push(server);
  return server;
}

function make(options: Partial<UpstreamCatalogueOptions> = {}): UpstreamCatalogue {
  const ours = failures;
  const onError = (what: string) => ours.push(what);
  const clocks = { now: () => new Date(time + set), monotonic: () => time };
  return upstreamCatalogue({ baseUrl: upstream.url, records, ...clocks, onError, ...options });
}

/** Short timeouts for an upstream that does not answer. */
const IMPATIENT = { waitMs: 600, idleMs: 300 };

const x86 = (catalogue: Catalogue, options?: { fresh: boolean }) => catalogue.target('24.10.2', PATH, TARGET, options);

async function known(record: Promise<TargetRecord | undefined>): Promise<TargetRecord> {
  const found = await record;
  if (found === undefined) throw new Error('no such target');
  return found;
}

const sha256 = (content: string | Uint8Array) => createHash('sha256').update(content).digest('hex');
const onDisk = async (path: string) => readFile(join(await demoUpstreamDirectory(), path));
const paths = () => upstream.requests.map(({ path }) => path);

/** Reads again until the value is there, as after a refresh in the background. */
async function eventually<T>(read: () => Promise<T>, isThere: (value: T) => boolean): Promise<T> {
  for (;;) {
    const value = await read();
    if (isThere(value)) return value;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Returns all answers of a catalogue as one value. */
async function everything(catalogue: Catalogue) {
  const record = await known(x86(catalogue));
  const { fetchedAt: _, ...facts } = record;
  return {
    versions: await catalogue.versions(),
    targets: await catalogue.targets(PATH),
    record: facts,
    packages: await catalogue.packages(record),
    feeds: await catalogue.feeds(PATH, 'x86_64'),
  };
}

describe('what upstream publishes', () => {
  it('is read in one consistent record', async () => {
    const catalogue = make();
    expect((await catalogue.versions()).list).toContain('24.10.2');
    expect(await catalogue.targets(PATH)).toMatchObject({ 'x86/64': 'x86_64', 'ath79/generic': 'mips_24kc' });
    const record = await known(x86(catalogue));
    const profiles = JSON.parse((await onDisk(`${DIRECTORY}/profiles.json`)).toString());
    expect(record).toMatchObject({
      version: '24.10.2',
      target: TARGET,
      versionPath: PATH,
      arch: 'x86_64',
      revision: profiles.version_code,
    });
    expect(record.kernel).toEqual(profiles.linux_kernel);
    expect(Object.keys(record.profiles)).toEqual(Object.keys(profiles.profiles));
    const name = 'openwrt-imagebuilder-24.10.2-x86-64.Linux-x86_64.tar.zst';
    expect(record.imagebuilder).toEqual({ name, sha256: sha256(await onDisk(`${DIRECTORY}/${name}`)) });
    expect(record.fetchedAt).toBe('2026-01-01T00:00:00.000Z');
  });

  it('has the digests of the indexes that a build reads', async () => {
    const { indexes, kernel } = await known(x86(make()));
    const read = Object.keys(indexes);
    expect(read).toContain(`${DIRECTORY}/packages/Packages.gz`);
    expect(read).toContain(`${DIRECTORY}/kmods/${kernel?.version}-${kernel?.release}-${kernel?.vermagic}/Packages.gz`);
    expect(read).toContain(`${PATH}/packages/x86_64/luci/Packages.gz`);
    for (const path of read) expect(indexes[path]).toBe(sha256(await onDisk(path)));
  });

  it.each([
    ['23.05.5', 'releases/23.05.5'],
    ['24.10.2', 'releases/24.10.2'],
    ['25.12.0', 'releases/25.12.0'],
    ['SNAPSHOT', 'snapshots'],
  ])('has the packages of %s, kernel modules included, and digests of all indexes', async (version, path) => {
    const catalogue = make();
    const record = await known(catalogue.target(version, path, TARGET));
    const index = await catalogue.packages(record);
    const listed = index?.target ?? {};
    expect(Object.keys(listed).filter((name) => name.startsWith('kmod-')).length).toBeGreaterThan(0);
    expect(targetIndexDocument(index)).toEqual({ architecture: 'x86_64', packages: listed });
    expect(index?.feeds).toHaveProperty('luci');
    expect(await catalogue.feeds(path, 'x86_64')).toEqual(index?.feeds);
    expect(Object.keys(record.indexes).length).toBeGreaterThanOrEqual(6);
    expect(index && unknownPackages(['luci', 'kmod-usb2', ...record.defaultPackages], index, record).missing).toEqual([]);
  });

  it('has an index that shows at once that a package does not exist', async () => {
    const catalogue = make();
    const record = await known(x86(catalogue));
    const index = await catalogue.packages(record);
    expect(index && unknownPackages(['luci', 'lucii', '-nonsense'], index, record)).toEqual({
      missing: ['lucii'],
      suggestions: { lucii: ['luci'] },
    });
  });

  it('may lack sha256sums and package indexes', async () => {
    const directory = await temporaryDirectory();
    const files = {
      'releases/1.2.3/.targets.json': '{"testtarget/testsubtarget": "testarch"}',
      'releases/1.2.3/targets/testtarget/testsubtarget/profiles.json': '{"profiles":{"testprofile":{}},"version_code":"r15666-8019c54d8a"}',
    };
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(directory, path)), { recursive: true });
      await writeFile(join(directory, path), text);
    }
    const server = await serve(directory);
    const catalogue = make({ baseUrl: `${server.url}/` });
    const record = await known(catalogue.target('1.2.3', 'releases/1.2.3', 'testtarget/testsubtarget'));
    expect(record).toMatchObject({ arch: 'testarch', revision: 'r15666-8019c54d8a', indexes: {} });
    expect(record).not.toHaveProperty('imagebuilder');
    expect(targetIndexDocument(await catalogue.packages(record))).toEqual({});
    expect(await catalogue.feeds('releases/1.2.3', 'testarch')).toEqual({});
    expect(await catalogue.versions()).toEqual({ list: [] });
  });

  it('may be a version without targets, or a target without profiles', async () => {
    const catalogue = make();
    upstream.overlay(`${PATH}/.targets.json`, '{}');
    upstream.remove('releases/24.10.0/targets/x86/64/profiles.json');
    upstream.remove('releases/24.10.0/targets/x86/64/sha256sums');
    expect(await catalogue.targets(PATH)).toEqual({});
    expect(await x86(catalogue)).toBeUndefined();
    expect(await catalogue.target('24.10.0', 'releases/24.10.0', TARGET)).toBeUndefined();
    expect(await catalogue.targets('releases/24.10.9')).toBeUndefined();
    expect(failures).toEqual([]);
  });
});

describe('asking upstream', () => {
  it('happens once, however many callers ask at the same time', async () => {
    const catalogue = make();
    await Promise.all(Array.from({ length: 50 }, () => everything(catalogue)));
    expect(paths().length).toBe(new Set(paths()).size);
    upstream.clearRequests();
    await everything(catalogue);
    await everything(make());
    expect(paths()).toEqual([]);
  });

  it('is conditional the next time', async () => {
    const catalogue = make();
    const before = await everything(catalogue);
    upstream.clearRequests();
    time += 2 * HOUR;
    expect(await everything(catalogue)).toEqual(before);
    await eventually(
      async () => paths(),
      (asked) => asked.some((path) => path.endsWith('/.targets.json')) && asked.includes('/.versions.json'),
    );
    // A request is listed when it arrives, before it has an answer.
    await eventually(
      async () => upstream.requests,
      (requests) => requests.every(({ status }) => status !== 0),
    );
    const answered = upstream.requests.filter(({ status }) => status !== 404);
    expect(answered.length).toBeGreaterThan(10);
    expect(answered.filter(({ status }) => status !== 304)).toEqual([]);
    expect((await known(x86(catalogue))).fetchedAt).toBe(new Date(time).toISOString());
  });

  it('happens in the background while callers get an old copy', async () => {
    const catalogue = make();
    await catalogue.versions();
    upstream.overlay('.versions.json', '{"versions_list":["99.1.0"]}');
    time += 6 * MINUTE;
    upstream.faults.add('.versions.json', { kind: 'slow', ms: 200 });
    expect((await catalogue.versions()).list).toContain('24.10.2');
    expect(
      await eventually(
        () => catalogue.versions(),
        ({ list }) => list.includes('99.1.0'),
      ),
    ).toEqual({ list: ['99.1.0'] });
  });

  it.each([
    ['back', -HOUR],
    ['forward', HOUR],
  ])('happens when it is due, even when the clock is set an hour %s', async (_, step) => {
    const catalogue = make();
    const before = await known(x86(catalogue));
    await catalogue.versions();
    const profiles = JSON.parse((await onDisk(`${DIRECTORY}/profiles.json`)).toString());
    await publish(`${DIRECTORY}/profiles.json`, JSON.stringify({ ...profiles, version_code: 'r9-new' }));
    upstream.overlay('.versions.json', '{"versions_list":["99.1.0"]}');
    set += step;
    time += MINUTE;
    for (const one of [catalogue, make()]) {
      const { revision } = await known(x86(one));
      expect(revision).toBe('r9-new');
      expect(revision).not.toBe(before.revision);
      const { list } = await eventually(
        () => one.versions(),
        (versions) => versions.list.includes('99.1.0'),
      );
      expect(list).toEqual(['99.1.0']);
    }
    // The copies have new dates from here on.
    upstream.clearRequests();
    time += MINUTE;
    expect((await known(x86(catalogue))).fetchedAt).toBe(new Date(time + set - MINUTE).toISOString());
    expect(paths()).toEqual([]);
  });

  it('happens again before an answer of "unknown", but at most every half minute', async () => {
    const catalogue = make();
    await catalogue.targets(PATH);
    upstream.overlay(`${PATH}/.targets.json`, '{"new/target":"x86_64","x86/64":"x86_64"}');
    upstream.clearRequests();
    expect(await catalogue.targets(PATH, { fresh: true })).not.toHaveProperty(['new/target']);
    expect(paths()).toEqual([]);
    time += MINUTE;
    expect(await catalogue.targets(PATH)).not.toHaveProperty(['new/target']);
    expect(await catalogue.targets(PATH, { fresh: true })).toHaveProperty(['new/target']);
    expect(paths()).toEqual([`/${PATH}/.targets.json`]);
    for (let count = 0; count < 5; count++) await catalogue.targets(PATH, { fresh: true });
    expect(paths().length).toBe(1);
  });

  it('happens for what upstream published a moment after the copy was made', async () => {
    const catalogue = make();
    await Promise.all([catalogue.versions(), catalogue.targets(PATH), x86(catalogue)]);
    const versions = JSON.parse((await onDisk('.versions.json')).toString());
    upstream.overlay('.versions.json', JSON.stringify({ ...versions, versions_list: ['24.10.9', ...versions.versions_list] }));
    upstream.overlay(`${PATH}/.targets.json`, '{"new/target":"x86_64","x86/64":"x86_64"}');
    const feed = `${PATH}/packages/x86_64/base/Packages.gz`;
    const newer = gzipSync('Package: only-this\nVersion: 1\n\n');
    upstream.overlay(feed, newer);
    time += 5000;
    expect((await catalogue.versions({ fresh: true })).list).toContain('24.10.9');
    expect(await catalogue.targets(PATH, { fresh: true })).toHaveProperty(['new/target']);
    expect((await known(x86(catalogue, { fresh: true }))).indexes[feed]).toBe(sha256(newer));
  });

  it('happens for one document five times in a row, and then every half minute', async () => {
    const catalogue = make();
    await catalogue.targets(PATH);
    upstream.clearRequests();
    const asksFor = async (ms: number) => {
      for (const until = time + ms; time < until; time += 2500) await catalogue.targets(PATH, { fresh: true });
      return paths().length;
    };
    time += 2500;
    expect(await asksFor(MINUTE / 2)).toBe(5);
    const afterwards = (await asksFor(10 * MINUTE)) - 5;
    expect(afterwards).toBeGreaterThanOrEqual(20);
    expect(afterwards).toBeLessThanOrEqual(40);
    upstream.clearRequests();
    time += 5 * MINUTE;
    await Promise.all(Array.from({ length: 20 }, () => catalogue.targets(PATH, { fresh: true })));
    expect(paths()).toHaveLength(1);
  });

  it('happens for a new target by itself, and for a new profile on request', async () => {
    const catalogue = make();
    upstream.overlay(`${PATH}/.targets.json`, '{}');
    expect(await x86(catalogue)).toBeUndefined();
    upstream.restore();
    expect(await x86(catalogue)).toBeUndefined();
    time += MINUTE;
    const record = await known(x86(catalogue));

    const profiles = JSON.parse((await onDisk(`${DIRECTORY}/profiles.json`)).toString());
    profiles.profiles.brand_new = { device_packages: [] };
    await publish(`${DIRECTORY}/profiles.json`, JSON.stringify(profiles));
    time += MINUTE;
    expect(await x86(catalogue)).toBe(record);
    expect((await known(x86(catalogue, { fresh: true }))).profiles).toHaveProperty('brand_new');
  });

  it("never happens for paths that cannot be upstream's", async () => {
    const catalogue = make();
    await x86(catalogue);
    upstream.clearRequests();
    for (const path of ['..', 'releases/..', 'releases/../x', '/etc', 'a b', 'releases//x', '', 'x'.repeat(300)]) {
      expect(await catalogue.targets(path)).toBeUndefined();
      expect(await catalogue.target('x', path, TARGET)).toBeUndefined();
      expect(await catalogue.feeds(path, 'x86_64')).toEqual({});
    }
    expect(await catalogue.target('24.10.2', PATH, '../..')).toBeUndefined();
    expect(await catalogue.target('24.10.2', PATH, 'constructor')).toBeUndefined();
    expect(await catalogue.feeds(PATH, '../../targets')).toEqual({});
    expect(await catalogue.feeds(PATH, 'nonsense')).toEqual({});
    expect(paths()).toEqual([]);
  });
});

describe('a change of upstream that a build has found', () => {
  const feed = `${PATH}/packages/x86_64/base/Packages.gz`;
  const newer = gzipSync('Package: only-this\nVersion: 1\n\n');
  const at = (changedAt: Date) => ({ fresh: true, changedAt });
  const asks = (catalogue: Catalogue, options?: { fresh: boolean; changedAt?: Date }) =>
    known(catalogue.target('24.10.2', PATH, TARGET, options));

  it('is read at once, however young the copies are, and once for all callers', async () => {
    const [one, other] = [make(), make()];
    const before = await asks(one);
    await asks(other);
    upstream.overlay(feed, newer);
    time += 1000;
    expect(await asks(one, { fresh: true })).toBe(before);
    upstream.clearRequests();
    const after = await Promise.all(Array.from({ length: 10 }, () => asks(one, at(new Date(time + set)))));
    for (const record of after) expect(record.indexes[feed]).toBe(sha256(newer));
    expect(paths().filter((path) => path === `/${feed}`)).toHaveLength(1);
    upstream.clearRequests();
    await asks(one, at(new Date(time + set)));
    time += 1000;
    expect((await asks(other)).indexes[feed]).toBe(sha256(newer));
    expect(paths()).toEqual([]);
  });

  it('is read at once for the next request of the process that found it', async () => {
    const catalogue = make();
    const before = await asks(catalogue);
    upstream.overlay(feed, newer);
    expect(await asks(catalogue)).toBe(before);
    catalogue.noteChange(PATH, TARGET);
    expect((await asks(catalogue)).indexes[feed]).toBe(sha256(newer));
    upstream.clearRequests();
    await asks(catalogue);
    expect(paths()).toEqual([]);
  });

  it.each([
    ['behind', -30_000],
    ['ahead', 30_000],
  ])('is read once when the clock of the runner is %s', async (_, skew) => {
    const catalogue = make();
    await asks(catalogue);
    upstream.overlay(feed, newer);
    expect((await asks(catalogue, at(new Date(time + skew)))).indexes[feed]).toBe(sha256(newer));
    upstream.clearRequests();
    await asks(catalogue, at(new Date(time + skew)));
    expect(paths()).toEqual([]);
  });

  it('is read after a refresh that began before it', async () => {
    const catalogue = make();
    await asks(catalogue);
    time += 11 * MINUTE;
    upstream.faults.add(`${DIRECTORY}/sha256sums`, { kind: 'slow', ms: 300 }, { times: 1 });
    const early = asks(catalogue, { fresh: true });
    await eventually(
      async () => paths(),
      (asked) => asked.includes(`/${feed}`) || asked.some((path) => path.endsWith('/sha256sums')),
    );
    upstream.overlay(feed, newer);
    expect((await asks(catalogue, at(new Date(time)))).indexes[feed]).toBe(sha256(newer));
    await early;
  });

  it('costs one attempt while upstream does not answer', async () => {
    const catalogue = make(IMPATIENT);
    const before = await asks(catalogue);
    upstream.faults.add(/./, { kind: 'status', status: 503 });
    expect(await asks(catalogue, at(new Date(time)))).toMatchObject({ indexes: before.indexes });
    await eventually(
      async () => failures,
      (reported) => reported.includes(`${TARGET} of 24.10.2`),
    );
    upstream.clearRequests();
    expect(await asks(catalogue, at(new Date(time)))).toMatchObject({ indexes: before.indexes });
    expect(paths()).toEqual([]);
  });
});

/** Replaces the content of a path, and its digest in the sums of its target. */
async function publish(path: string, content: string): Promise<void> {
  const name = path.slice(DIRECTORY.length + 1);
  const sums = (await onDisk(`${DIRECTORY}/sha256sums`)).toString();
  upstream.overlay(path, content);
  upstream.overlay(`${DIRECTORY}/sha256sums`, sums.replace(new RegExp(`^.{64} \\*${name}$`, 'm'), `${sha256(content)} *${name}`));
}

const FAULTS: [string, Fault][] = [
  ['500', { kind: 'status', status: 500 }],
  ['403', { kind: 'status', status: 403 }],
  ['429', { kind: 'status', status: 429 }],
  ['an HTML page', { kind: 'html' }],
  ['truncated', { kind: 'truncated' }],
  ['truncated without saying so', { kind: 'truncated', announced: false }],
  ['truncated to nothing', { kind: 'truncated', bytes: 0, announced: false }],
  ['reset', { kind: 'reset' }],
  ['silence', { kind: 'hang' }],
  ['slowness', { kind: 'slow', ms: 5000 }],
  ['wrong bytes', { kind: 'wrong-bytes' }],
  ['a JSON list', { kind: 'body', body: '[1,2,3]' }],
  ['a JSON error', { kind: 'body', body: '{"error":"try again later"}' }],
  ['JSON null', { kind: 'body', body: 'null' }],
];

describe.each(FAULTS)('when upstream answers with %s', (_, fault) => {
  it('every read is answered as before once a copy is there', async () => {
    const before = await everything(make());
    upstream.faults.add(/./, fault);
    time += 2 * HOUR;
    const restarted = make(IMPATIENT);
    expect(await everything(restarted)).toEqual(before);
    expect(await restarted.versions({ fresh: true })).toEqual(before.versions);
    expect(await restarted.targets(PATH, { fresh: true })).toEqual(before.targets);
    expect(await x86(restarted, { fresh: true })).toMatchObject(before.record);
    expect(failures.length).toBeGreaterThan(0);
  });

  it('a catalogue without copies is unavailable, and then recovers', async () => {
    const catalogue = make(IMPATIENT);
    upstream.faults.add(/./, fault);
    await expect(catalogue.targets(PATH)).rejects.toThrow(UpstreamUnavailableError);
    await expect(x86(catalogue)).rejects.toThrow(UpstreamUnavailableError);
    upstream.faults.clear();
    expect(
      await eventually(
        () => {
          time += MINUTE;
          return x86(catalogue).catch(() => undefined);
        },
        (record) => record !== undefined,
      ),
    ).toHaveProperty('arch', 'x86_64');
  });
});

describe('a part of upstream that is broken', () => {
  it('does not prevent reads of the other parts', async () => {
    const catalogue = make();
    upstream.faults.add(`${PATH}/.targets.json`, { kind: 'status', status: 500 });
    await expect(catalogue.targets(PATH)).rejects.toThrow(UpstreamUnavailableError);
    expect(await catalogue.targets('snapshots')).toHaveProperty([TARGET]);
  });

  it('costs only the preflight when it is an index that cannot be read', async () => {
    const catalogue = make();
    upstream.faults.add('/x86_64/telephony/', { kind: 'html' });
    const record = await known(x86(catalogue));
    const index = await catalogue.packages(record);
    expect(index?.complete).toBe(false);
    expect(index?.feeds).toHaveProperty('luci');
    upstream.faults.clear();
    time += 2 * HOUR;
    const later = await known(x86(catalogue));
    expect((await catalogue.packages(later))?.complete).toBe(true);
  });

  describe('is one feed', () => {
    const BROKEN: [string, string, string, Fault][] = [
      ['24.10.2', PATH, 'base/Packages.gz', { kind: 'truncated', announced: false }],
      ['24.10.2', PATH, 'base/Packages.gz', { kind: 'html' }],
      ['25.12.0', 'releases/25.12.0', 'base/packages.adb', { kind: 'truncated', announced: false }],
      ['25.12.0', 'releases/25.12.0', 'base/packages.adb', { kind: 'html' }],
      ['25.12.0', 'releases/25.12.0', 'base/index.json', { kind: 'truncated', announced: false }],
    ];
    const FORBIDDEN: typeof BROKEN = [['24.10.2', PATH, 'base/Packages.gz', { kind: 'status', status: 403 }]];

    const read = async (catalogue: Catalogue, version: string, path: string) => {
      const record = await known(catalogue.target(version, path, TARGET));
      const { indexes } = record;
      return { indexes, index: await catalogue.packages(record), feeds: await catalogue.feeds(path, 'x86_64') };
    };

    it.each(BROKEN)('of %s (%s/…/%s: %j), once: it is read once more, past caches', async (version, path, file, fault) => {
      const whole = await read(make({ records: memoryRecordStore() }), version, path);
      upstream.faults.add(`${path}/packages/x86_64/${file}`, fault, { times: 1 });
      expect(await read(make(), version, path)).toEqual(whole);
      expect(failures).toEqual([]);
    });

    it.each([...BROKEN, ...FORBIDDEN])('of %s (%s/…/%s: %j), for long: reported, and read again half a minute later', async (...broken) => {
      const [version, path, file, fault] = broken;
      const whole = await read(make({ records: memoryRecordStore() }), version, path);
      upstream.faults.add(`${path}/packages/x86_64/${file}`, fault);
      const catalogue = make();
      const before = await read(catalogue, version, path);
      expect(before.index?.complete).toBe(false);
      expect(Object.keys(before.indexes).filter((name) => name.includes('/base/'))).toEqual([]);
      expect(failures).toContain(`the package index in ${path}/packages/x86_64/base`);

      time += MINUTE;
      expect(await read(catalogue, version, path)).toEqual(before);
      upstream.faults.clear();
      time += 31_000;
      for (const one of [catalogue, make()]) expect(await read(one, version, path)).toEqual(whole);
      failures.length = 0;
      upstream.clearRequests();
      time += MINUTE;
      await read(catalogue, version, path);
      expect(paths()).toEqual([]);
      expect(failures).toEqual([]);
    });
  });

  describe('is a directory that upstream does not have', () => {
    const MISSING: [string, string, string, string][] = [
      ['a feed', '24.10.2', PATH, 'packages/x86_64/telephony/'],
      ['the feed that every ImageBuilder reads', '24.10.2', PATH, 'packages/x86_64/base/'],
      ['the kernel modules', '24.10.2', PATH, 'kmods/'],
      ['the kernel modules', '25.12.0', 'releases/25.12.0', 'kmods/'],
      ["the target's own packages", '24.10.2', PATH, 'targets/x86/64/packages/'],
    ];

    it.each(MISSING)('(%s of %s): it refuses no package, since only the build can tell', async (_, version, path, part) => {
      upstream.faults.add(`/${part}`, { kind: 'status', status: 404 });
      const catalogue = make();
      const record = await known(catalogue.target(version, path, TARGET));
      const index = await catalogue.packages(record);
      expect(index?.complete).toBe(false);
      expect(Object.keys(record.indexes).filter((file) => file.includes(part))).toEqual([]);
      expect(index && unknownPackages(['kmod-usb-storage', 'lucii'], index, record).missing).toEqual([]);
      expect(index?.feeds).toHaveProperty('luci');
    });

    it.each(MISSING.filter(([what]) => !what.includes('feed')))(
      '(%s of %s): it is there soon after upstream has it',
      async (...missing) => {
        const [, version, path, part] = missing;
        upstream.faults.add(`/${part}`, { kind: 'status', status: 404 });
        const catalogue = make();
        const read = async () => catalogue.packages(await known(catalogue.target(version, path, TARGET)));
        expect((await read())?.complete).toBe(false);
        upstream.faults.clear();
        time += 31_000;
        const index = await read();
        expect(index?.complete).toBe(true);
        expect(Object.keys(index?.target ?? {}).some((name) => name.startsWith('kmod-'))).toBe(true);
      },
    );

    it('(the kernel modules, for good): upstream is asked about it no more often than twice a minute', async () => {
      upstream.faults.add('/kmods/', { kind: 'status', status: 404 });
      const catalogue = make();
      await x86(catalogue);
      upstream.clearRequests();
      for (let second = 0; second < 29; second++) {
        time += 1000;
        await x86(catalogue);
      }
      expect(paths()).toEqual([]);
    });

    it('(of kernel modules whose kernel upstream does not name): it refuses no package', async () => {
      const { linux_kernel: _, ...profiles } = JSON.parse((await onDisk(`${DIRECTORY}/profiles.json`)).toString());
      await publish(`${DIRECTORY}/profiles.json`, JSON.stringify(profiles));
      const catalogue = make();
      expect((await catalogue.packages(await known(x86(catalogue))))?.complete).toBe(false);
    });

    it('(of apk, but for the names of its kernel modules): its names are known, and it refuses no package', async () => {
      const path = 'releases/25.12.0';
      const read = async (catalogue: Catalogue) => {
        const record = await known(catalogue.target('25.12.0', path, TARGET));
        return { record, index: await catalogue.packages(record) };
      };
      const whole = await read(make({ records: memoryRecordStore() }));
      upstream.faults.add(/\/kmods\/.*packages\.adb/, { kind: 'status', status: 404 });
      const { record, index } = await read(make());
      expect(index?.target).toEqual(whole.index?.target);
      expect(index?.complete).toBe(false);
      expect(Object.keys(record.indexes).filter((file) => file.includes('/kmods/'))).toEqual([expect.stringMatching(/index\.json$/)]);
      expect(failures).toEqual([]);
    });
  });

  it('is left out without a report when upstream does not have it', async () => {
    for (const file of ['Packages', 'Packages.gz', 'index.json']) upstream.remove(`${PATH}/packages/x86_64/telephony/${file}`);
    const catalogue = make();
    const record = await known(x86(catalogue));
    expect(Object.keys(record.indexes).filter((path) => path.includes('/telephony/'))).toEqual([]);
    expect((await catalogue.packages(record))?.complete).toBe(false);
    upstream.clearRequests();
    time += MINUTE;
    await x86(catalogue);
    expect(paths()).toEqual([]);
    expect(failures).toEqual([]);
  });

  it('does not lose any other part that was once read', async () => {
    const catalogue = make();
    upstream.faults.add('/x86_64/telephony/', { kind: 'html' });
    const before = await known(x86(catalogue));
    upstream.faults.clear();
    upstream.faults.add('/x86_64/luci/', { kind: 'html' });
    time += MINUTE;
    const meanwhile = await known(x86(catalogue));
    expect(meanwhile.indexes).toEqual(before.indexes);
    expect((await catalogue.packages(meanwhile))?.feeds).toHaveProperty('luci');
  });

  it('keeps its copy when it is the list of versions and upstream answers 404', async () => {
    const catalogue = make();
    const before = await catalogue.versions();
    upstream.remove('.versions.json');
    time += HOUR;
    expect(await catalogue.versions({ fresh: true })).toEqual(before);
  });

  it('is an answer when it is a target that upstream no longer has', async () => {
    const catalogue = make();
    await x86(catalogue);
    upstream.remove(`${DIRECTORY}/profiles.json`);
    upstream.remove(`${DIRECTORY}/sha256sums`);
    time += 2 * HOUR;
    expect(await x86(catalogue)).toBeUndefined();
    upstream.restore();
    time += MINUTE;
    expect(await x86(catalogue)).toHaveProperty('arch', 'x86_64');
  });
});

describe('an upstream that serves larger files than any real one', () => {
  const deep = `{"profiles":{"a":${'['.repeat(500_000)}${']'.repeat(500_000)}}}`;
  /** A small file that unpacks to 64 MiB. */
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, 'Description: x\n'));

  it('is unavailable, and the error says why, while there is no copy', async () => {
    const catalogue = make();
    upstream.faults.add(`${DIRECTORY}/profiles.json`, { kind: 'body', body: deep });
    const asked = x86(catalogue);
    await expect(asked).rejects.toThrow(UpstreamUnavailableError);
    await expect(asked).rejects.toThrow('it is nested more than 32 deep');
  });

  it('does not change the answers once a copy is there', async () => {
    const catalogue = make();
    const before = await everything(catalogue);
    time += 2 * HOUR;
    for (const document of ['.versions.json', '.targets.json', 'profiles.json', 'index.json'])
      upstream.faults.add(`/${document}`, { kind: 'body', body: deep });
    upstream.faults.add('/Packages.gz', { kind: 'body', body: bomb });
    upstream.faults.add('/sha256sums', { kind: 'body', body: '\n'.repeat(9 * 1024 * 1024) });
    expect(await everything(catalogue)).toEqual(before);
    // The other process asks upstream itself.
    expect(await everything(make())).toEqual(before);
    expect(failures).not.toEqual([]);
  });

  it.each([
    ['unpacks to more than an index has', 'Packages.gz', bomb],
    ['is longer than an index', 'Packages.gz', Buffer.alloc(17 * 1024 * 1024)],
    ['is nested', 'index.json', Buffer.from(deep)],
    ['is longer than a document', 'index.json', Buffer.alloc(5 * 1024 * 1024, ' ')],
  ])('costs only the preflight when a feed %s (%s)', async (_, file, body) => {
    upstream.faults.add(`/x86_64/telephony/${file}`, { kind: 'body', body });
    const catalogue = make();
    const index = await catalogue.packages(await known(x86(catalogue)));
    expect(index?.complete).toBe(false);
    expect(index?.feeds).toHaveProperty('luci');
    expect(failures).toContain(`the package index in ${PATH}/packages/x86_64/telephony`);
  });
});

describe('a snapshot that changes while it is read', () => {
  it('is read again until its files belong together', async () => {
    const stale = '{"profiles":{},"version_code":"r1-old"}';
    upstream.faults.add(`${DIRECTORY}/profiles.json`, { kind: 'body', body: stale }, { times: 1 });
    expect((await known(x86(make()))).revision).not.toBe('r1-old');
    expect(paths().filter((path) => path.endsWith('/sha256sums')).length).toBe(2);
  });

  it('is refused while its index is not the one that sha256sums lists', async () => {
    const catalogue = make();
    upstream.overlay(`${DIRECTORY}/packages/Packages.gz`, gzipSync(''));
    await expect(x86(catalogue)).rejects.toThrow(/sha256sums/);
    upstream.restore();
    expect(await x86(catalogue)).toHaveProperty('arch', 'x86_64');
  });

  it('leaves the record unchanged while its files do not belong together', async () => {
    const catalogue = make();
    const before = await everything(catalogue);
    upstream.overlay(`${DIRECTORY}/profiles.json`, '{"profiles":{},"version_code":"r2-new"}');
    time += 2 * HOUR;
    expect(await everything(catalogue)).toEqual(before);
    await publish(`${DIRECTORY}/profiles.json`, '{"profiles":{},"version_code":"r2-new","arch_packages":"x86_64"}');
    time += MINUTE;
    expect((await known(x86(catalogue))).revision).toBe('r2-new');
  });
});

describe('processes that share a store', () => {
  const newFeed = gzipSync('Package: only-this\nVersion: 1\n\n');
  const feedPath = `${PATH}/packages/x86_64/base/Packages.gz`;

  it('have one record, even when upstream changed in between', async () => {
    const [one, other] = [make(), make()];
    const first = await known(x86(one));
    upstream.overlay(feedPath, newFeed);
    expect((await known(x86(other))).indexes).toEqual(first.indexes);

    time += 2 * HOUR;
    const second = await known(x86(other));
    expect(second.indexes[feedPath]).toBe(sha256(newFeed));
    expect(await x86(one)).toEqual(second);
    expect(await one.packages(second)).toEqual(await other.packages(second));
    // The index of the earlier record is still there for requests that use it.
    expect((await make().packages(first))?.aliases).toEqual((await one.packages(first))?.aliases);
  });

  it('all answer with the copy that was stored first, whatever they fetched themselves', async () => {
    const { promise: fetched, resolve: hasFetched } = Promise.withResolvers<void>();
    const { promise: mayStore, resolve: letStore } = Promise.withResolvers<void>();
    const late: RecordStore = {
      get: records.get,
      replace: async (key, body, tag) => {
        if (key.endsWith(TARGET)) {
          hasFetched();
          await mayStore;
        }
        return records.replace(key, body, tag);
      },
    };
    const pending = x86(make({ records: late, waitMs: 30_000 }));
    await fetched;
    await publish(`${DIRECTORY}/profiles.json`, (await onDisk(`${DIRECTORY}/profiles.json`)).toString().replace(/r\d+-/, 'r99999-'));
    const stored = await known(x86(make()));
    expect(stored.revision).toMatch(/^r99999-/);
    letStore();
    expect(await pending).toEqual(stored);
  });

  it('keep a record for ten minutes', async () => {
    const catalogue = make();
    const first = await known(x86(catalogue));
    upstream.overlay(feedPath, newFeed);
    time += 9 * MINUTE;
    expect(await x86(catalogue)).toBe(first);
    upstream.clearRequests();
    time += 2 * MINUTE;
    expect(await x86(catalogue)).toBe(first);
    const second = await eventually(
      () => known(x86(catalogue)),
      ({ fetchedAt }) => fetchedAt !== first.fetchedAt,
    );
    expect(second.indexes[feedPath]).toBe(sha256(newFeed));
  });

  it('recover from a record that cannot be read', async () => {
    const bodies = new Map<string, string>();
    const inner = memoryRecordStore();
    const noting: RecordStore = {
      get: inner.get,
      replace: (key, body, tag) => {
        bodies.set(key, body);
        return inner.replace(key, body, tag);
      },
    };
    const before = await everything(make({ records: noting }));
    for (const key of bodies.keys()) await inner.replace(key, 'zstd:AAAA', (await inner.get(key))?.tag);
    expect(await everything(make({ records: noting }))).toEqual(before);
  });

  it('answer from memory while the store is down', async () => {
    let isDown = false;
    const shaky: RecordStore = {
      get: async (key) => (isDown ? Promise.reject(new Error('store is down')) : records.get(key)),
      replace: async (key, body, tag) => (isDown ? Promise.reject(new Error('store is down')) : records.replace(key, body, tag)),
    };
    const catalogue = make({ records: shaky });
    const before = await everything(catalogue);
    isDown = true;
    time += 2 * HOUR;
    expect(await everything(catalogue)).toEqual(before);
    await expect(make({ records: shaky }).versions()).rejects.toThrow(UpstreamUnavailableError);
  });

  it('wait once in a request for a store that does not answer, and for no store that has just failed', async () => {
    let reads = 0;
    let isSilent = false;
    const silent: RecordStore = {
      ...records,
      get: (key) => {
        reads += 1;
        return isSilent ? new Promise(() => undefined) : records.get(key);
      },
    };
    const catalogue = make({ records: silent, waitMs: 600 });
    const before = await everything(catalogue);
    isSilent = true;
    reads = 0;
    time += 2 * HOUR;
    expect(await everything(catalogue)).toEqual(before);
    // The caller waits for the record, while the list of targets is refreshed in the background.
    expect(reads).toBeLessThanOrEqual(2);

    const restarted = make({ records: silent, waitMs: 600 });
    reads = 0;
    await expect(restarted.versions()).rejects.toThrow(UpstreamUnavailableError);
    await expect(restarted.targets(PATH)).rejects.toThrow(UpstreamUnavailableError);
    expect(reads).toBe(1);
    isSilent = false;
    time += 3000;
    expect(await restarted.versions()).toEqual(before.versions);
  });

  it('do not mix up two upstreams', async () => {
    await x86(make());
    const second = await serve();
    second.remove(`${PATH}/.targets.json`);
    expect(await make({ baseUrl: second.url }).targets(PATH)).toBeUndefined();
  });
});

it('stops asking an upstream that fails again and again', async () => {
  const catalogue = make();
  upstream.faults.add(/./, { kind: 'status', status: 503 });
  for (let count = 0; count < 5; count++)
    await expect(catalogue.targets(`releases/24.10.${count}`)).rejects.toThrow(UpstreamUnavailableError);
  const asked = paths().length;
  await expect(catalogue.targets(PATH)).rejects.toThrow(/time to recover/);
  expect(paths().length).toBe(asked);
  upstream.faults.clear();
  time += MINUTE;
  expect(await catalogue.targets(PATH)).toHaveProperty([TARGET]);
});

it('asks an upstream that failed again and again every two seconds, once at a time, and only when somebody needs it', async () => {
  const catalogue = make();
  upstream.faults.add(/./, { kind: 'status', status: 503 });
  for (let count = 0; count < 5; count++) await catalogue.targets(`releases/24.10.${count}`).catch(() => undefined);
  upstream.clearRequests();
  time += 3000;
  const askedAtOnce = Array.from({ length: 10 }, (_, count) => catalogue.targets(`releases/23.05.${count}`));
  expect((await Promise.allSettled(askedAtOnce)).map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 'rejected'));
  expect(paths().length).toBe(1);
  upstream.faults.clear();
  time += 3000;
  expect(paths().length).toBe(1);
  expect(await catalogue.targets(PATH)).toHaveProperty([TARGET]);
});

it('says whether upstream answers, whatever copies there are', async () => {
  const catalogue = make();
  await catalogue.versions();
  await catalogue.assertReachable();
  upstream.faults.add(/./, { kind: 'status', status: 503 });
  await expect(catalogue.assertReachable()).rejects.toThrow(UpstreamUnavailableError);
  expect(await catalogue.versions()).toHaveProperty('stable');
  upstream.faults.clear();
  await catalogue.assertReachable();
});

describe('targets that no list has', () => {
  const UNLISTED = Array.from({ length: 60 }, (_, count) => `made/up${count}`);
  const ask = (catalogue: Catalogue, targets: readonly string[]) =>
    Promise.allSettled(targets.map((target) => catalogue.target('24.10.2', PATH, target)));

  it('do not wait in any number, and those that were read before do not wait at all', async () => {
    upstream.remove(`${PATH}/.targets.json`);
    const catalogue = make({ waitMs: 3000, idleMs: 3000 });
    const before = await known(x86(catalogue));
    upstream.faults.add('/made/', { kind: 'hang' });
    const asked = ask(catalogue, UNLISTED);
    time += HOUR;
    const after = await known(x86(catalogue));
    expect(after).toEqual({ ...before, fetchedAt: after.fetchedAt });
    expect(after.fetchedAt).not.toBe(before.fetchedAt);
    const refused = (await asked).filter((one) => one.status === 'rejected' && /too many other requests/.test(String(one.reason)));
    expect(refused.length).toBe(60 - 22);
  });
});
