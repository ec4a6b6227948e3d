import { expect, it } from 'vitest';
import { memoryRecordStore } from '#adapters/upstream/memory-record-store.ts';
import { imagebuilderAbi } from './imagebuilder-abi.ts';

const DIGEST = 'a'.repeat(64);

it('gives back what a runner has noted, to every process', async () => {
  const records = memoryRecordStore();
  expect(await imagebuilderAbi(records).addsAbi(DIGEST)).toBeUndefined();
  await imagebuilderAbi(records).note(DIGEST, true);
  await imagebuilderAbi(records).note('b'.repeat(64), false);
  expect(await imagebuilderAbi(records).addsAbi(DIGEST)).toBe(true);
  expect(await imagebuilderAbi(records).addsAbi('b'.repeat(64))).toBe(false);
});

it('keeps the first answer, since an ImageBuilder never changes', async () => {
  const records = memoryRecordStore();
  await imagebuilderAbi(records).note(DIGEST, true);
  await imagebuilderAbi(records).note(DIGEST, false);
  expect(await imagebuilderAbi(records).addsAbi(DIGEST)).toBe(true);
});

it.each(['{"format":2,"adds_abi":true}', '{"format":1}', 'null', '{'])('takes the record %s for none', async (body) => {
  const records = memoryRecordStore();
  await records.replace(`imagebuilders/${DIGEST}`, body, undefined);
  expect(await imagebuilderAbi(records).addsAbi(DIGEST)).toBeUndefined();
});
