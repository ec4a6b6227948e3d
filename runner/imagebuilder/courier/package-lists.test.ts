import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { packageLists } from './package-lists.ts';

const index = (...names: string[]): Buffer =>
  Buffer.from(
    names.map((name) => `Package: ${name}\nVersion: 1\nFilename: ${name}_1.ipk\nSize: 9\nSHA256sum: ${'a'.repeat(64)}\n\n`).join(''),
  );
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const namesOf = (list: readonly { readonly name: string }[]): string[] => list.map(({ name }) => name);

it('read an index of a known digest once, and one without a digest each time', async () => {
  const lists = packageLists();
  const bytes = index('vim', 'tmux');
  const first = await lists.read(bytes, 'plain', sha256(bytes));
  expect(namesOf(first)).toEqual(['vim', 'tmux']);
  expect(await lists.read(bytes, 'plain', sha256(bytes))).toBe(first);
  expect(await lists.read(bytes, 'plain')).not.toBe(first);
  const other = index('nano');
  expect(namesOf(await lists.read(other, 'plain', sha256(other)))).toEqual(['nano']);
});

it('keep those that were used last, up to a number of packages', async () => {
  const lists = packageLists(6);
  const [one, two, three] = [index('a', 'b'), index('c', 'd'), index('e', 'f')];
  const read = (bytes: Buffer) => lists.read(bytes, 'plain', sha256(bytes));
  const [first, second] = [await read(one), await read(two)];
  expect(await read(one)).toBe(first);
  await read(three);
  expect(await read(one)).toBe(first);
  expect(await read(two)).not.toBe(second);
});

it('forget nothing and keep nothing when the bytes are no index', async () => {
  const lists = packageLists();
  await expect(lists.read(Buffer.from('ADB.nothing'), 'adb', 'digest')).rejects.toThrow();
  await expect(lists.read(Buffer.from('ADB.nothing'), 'adb', 'digest')).rejects.toThrow();
});

it('do not keep a list that is longer than all of them may be', async () => {
  const lists = packageLists(2);
  const bytes = index('a', 'b', 'c');
  const list = await lists.read(bytes, 'plain', sha256(bytes));
  expect(namesOf(list)).toEqual(['a', 'b', 'c']);
  expect(await lists.read(bytes, 'plain', sha256(bytes))).not.toBe(list);
});
