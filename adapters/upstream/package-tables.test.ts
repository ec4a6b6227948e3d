import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TargetRecord } from '#core/catalogue/catalogue.ts';
import { packageCount } from '#core/package-solver/index/package-table.ts';
import { type RecordedUpstream, serveRecordedWorlds } from '#test/support/recorded-upstream.ts';
import { indexFilesOf, packagesOf, type RecordedWorld, recorded } from '#test/support/recorded-worlds.ts';
import { memoryRecordStore } from './memory-record-store.ts';
import { upstreamCatalogue } from './upstream-catalogue.ts';

const TARGET = { version: '23.05.2', target: 'mvebu/cortexa9' };
const DIRECTORY = `releases/${TARGET.version}`;
const world = recorded<RecordedWorld>('opkg-am');

let upstream: RecordedUpstream;
let records: ReturnType<typeof memoryRecordStore>;
beforeEach(async () => {
  upstream = await serveRecordedWorlds([{ world, ...TARGET }]);
  records = memoryRecordStore();
});
afterEach(() => upstream.close());

/** Returns the catalogue of a process that has just been started. */
const startedCatalogue = () => upstreamCatalogue({ baseUrl: upstream.url, records, now: () => new Date(), waitMs: 20_000 });

async function recordOf(catalogue: ReturnType<typeof startedCatalogue>): Promise<TargetRecord> {
  const record = await catalogue.target(TARGET.version, DIRECTORY, TARGET.target);
  if (record === undefined) throw new Error('there is no such target');
  return record;
}

const countsOf = (tables: Awaited<ReturnType<ReturnType<typeof startedCatalogue>['tables']>>) => tables?.tables.map(packageCount);

/** Finds the key of a stored table. */
const tableKey = (path: string, record: TargetRecord, seen: readonly string[]) =>
  seen.find((key) => key.includes('/table-') && key.includes(path) && Object.keys(record.indexes).some((one) => key.includes(one)));

it('are those of the very indexes that the record names, in their order', async () => {
  const catalogue = startedCatalogue();
  const record = await recordOf(catalogue);
  const tables = await catalogue.tables(record);
  expect(tables?.manager).toBe('opkg');
  expect(Object.keys(record.indexes).map((path) => path.split('/').at(-2))).toEqual([
    ...['packages', 'base', 'luci', 'packages', 'routing', 'telephony'],
  ]);
  const files = indexFilesOf(world).slice(0, -1); // upstream does not serve the packages of the ImageBuilder itself
  expect(countsOf(tables)).toEqual(files.map((file) => packagesOf(world, file).length));
});

it('come from the shared store while upstream is away', async () => {
  const first = startedCatalogue();
  const record = await recordOf(first);
  const tables = await first.tables(record);
  const other = startedCatalogue();
  upstream.files.clear();
  upstream.requests.length = 0;
  expect(countsOf(await other.tables(record))).toEqual(countsOf(tables));
  expect(upstream.requests).toEqual([]);
});

it('of an index that upstream has replaced meanwhile are not made', async () => {
  const catalogue = startedCatalogue();
  const record = await recordOf(catalogue);
  const [, path = ''] = Object.keys(record.indexes);
  const luci = upstream.files.get(`${DIRECTORY}/packages/${world.arch}/luci/Packages.gz`);
  if (luci !== undefined) upstream.files.set(path, luci);
  expect(await startedCatalogue().tables(record)).toBeUndefined();
});

describe('a stored table', () => {
  it.each([
    ['of another format', (body: string) => body.replace(/ [A-Za-z0-9+/=]+$/, ' KLUv/SQQgQAAAQAAAA==')],
    ['that is cut off', (body: string) => body.slice(0, body.length / 2)],
  ])('%s counts as absent', async (_, damage) => {
    const keys: string[] = [];
    const inner = records;
    records = {
      get: (key) => inner.get(key),
      replace: (key, body, tag) => {
        keys.push(key);
        return inner.replace(key, body, tag);
      },
    };
    const first = startedCatalogue();
    const record = await recordOf(first);
    const counts = countsOf(await first.tables(record));
    const key = tableKey('/base/', record, keys) ?? '';
    const stored = await inner.get(key);
    expect(await inner.replace(key, damage(stored?.body ?? ''), stored?.tag)).toBe(true);
    expect(countsOf(await startedCatalogue().tables(record))).toEqual(counts);
  });
});
