import { beforeEach, describe, expect, it } from 'vitest';
import type { RecordStore } from '#core/stores.ts';
import { knownImagebuilders } from './known-imagebuilders.ts';
import { memoryRecordStore } from './memory-record-store.ts';

const PATH = 'releases/24.10.2';
const KEY = `catalogue/x/${PATH}/imagebuilders`;
const recordOf = (target: string, revision = 'r1-a', isPublished = true) => ({
  versionPath: PATH,
  version: '24.10.2',
  target,
  revision,
  ...(isPublished && { imagebuilder: { name: 'openwrt-imagebuilder.tar.zst', sha256: 'a'.repeat(64) } }),
});
const entry = (revision = 'r1-a', available = true) => ({ version: '24.10.2', revision, available });

let records: RecordStore;
let time: number;
let failures: string[];
beforeEach(() => {
  records = memoryRecordStore();
  time = 0;
  failures = [];
});

const make = (store: RecordStore = records) =>
  knownImagebuilders({
    records: store,
    monotonic: () => time,
    keyOf: (path) => `catalogue/x/${path}/imagebuilders`,
    onError: (what) => failures.push(what),
  });

describe('what is known of ImageBuilders', () => {
  it('is nothing at first, then what the last record of each target said', async () => {
    const known = make();
    expect(await known.of(PATH)).toEqual({});
    await known.note(recordOf('x86/64'));
    await known.note(recordOf('ath79/generic', 'r2-b', false));
    await known.note(recordOf('x86/64', 'r3-c'));
    expect(await known.of(PATH)).toEqual({ 'x86/64': entry('r3-c'), 'ath79/generic': entry('r2-b', false) });
    expect(await known.of('snapshots')).toEqual({});
  });

  it('is complete, however many processes note it at the same time', async () => {
    const processes = [make(), make(), make()];
    const targets = Array.from({ length: 30 }, (_, index) => `target/${index}`);
    await Promise.all(targets.map((target, index) => processes[index % processes.length]?.note(recordOf(target))));
    expect(Object.keys(await make().of(PATH)).sort()).toEqual(targets.sort());
  });

  it('reaches other processes within a minute', async () => {
    const [ours, theirs] = [make(), make()];
    expect(await theirs.of(PATH)).toEqual({});
    await ours.note(recordOf('x86/64'));
    time += 61_000;
    expect(await theirs.of(PATH)).toEqual({ 'x86/64': entry() });
  });

  it('is not written again while it is the same', async () => {
    await make().note(recordOf('x86/64'));
    const before = await records.get(KEY);
    await make().note(recordOf('x86/64'));
    expect(await records.get(KEY)).toEqual(before);
  });

  it.each(['no JSON', '{"format":2,"targets":{"x86/64":{}}}', '{"format":1,"targets":null}', 'null'])(
    'is nothing where the record is %s',
    async (body) => {
      await records.replace(KEY, body, undefined);
      expect(await make().of(PATH)).toEqual({});
      await make().note(recordOf('x86/64'));
      expect(await make().of(PATH)).toEqual({ 'x86/64': entry() });
    },
  );

  it('is what the process knows while the store fails, and the failure is reported', async () => {
    let isBroken = false;
    const failing: RecordStore = {
      get: async (key) => (isBroken ? Promise.reject(new Error('broken')) : records.get(key)),
      replace: records.replace,
    };
    const known = make(failing);
    await known.note(recordOf('x86/64'));
    isBroken = true;
    time += 61_000;
    await known.note(recordOf('ath79/generic'));
    expect(await known.of(PATH)).toEqual({ 'x86/64': entry() });
    expect(await make(failing).of(PATH)).toEqual({});
    expect(new Set(failures)).toEqual(new Set([`the known ImageBuilders of ${PATH}`]));
  });
});
