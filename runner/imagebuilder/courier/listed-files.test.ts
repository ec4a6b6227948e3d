import { expect, it } from 'vitest';
import type { RepositoryIndex } from '../tree/repository-indexes.ts';
import { listedFiles } from './listed-files.ts';

const indexAt = (base: string): RepositoryIndex => ({
  source: `${base}Packages.gz`,
  url: `${base}Packages.gz`,
  base,
  file: 'feed',
  format: 'packed',
});
const index = indexAt('http://feeds.example//24.10/base/');
const packageFile = (path: string) => ({ path, name: path });

it.each([
  ['vim_9+1~a_x86_64.ipk', 'vim_9%2b1%7Ea_x86_64.ipk'],
  ['sub/vim_9.ipk', 'sub//vim_9.ipk'],
  ['./vim_9.ipk', 'vim_9.ipk'],
  ['vim%2b_9.ipk', 'vim+_9.ipk'],
  ['sub/../vim_9.ipk', 'vim_9.ipk'],
  ['.hidden.ipk', '.hidden.ipk'],
])('finds the package at %s under each spelling of its URL', async (path, other) => {
  const listed = listedFiles([index]);
  await listed.addPackages(index, [packageFile(path)]);
  const file = listed.find(`${index.base}${path}`);
  expect(file).toMatchObject({ kind: 'package', name: path });
  expect(listed.find(`http://feeds.example/24.10/base/${other}`)).toBe(file);
});

it.each(['../../secret', 'sub/../../../secret', '..', '%2e%2e/secret', 'vim.ipk?x=1', 'vim.ipk#x'])(
  'lists nothing for %s',
  async (path) => {
    const listed = listedFiles([index]);
    await listed.addPackages(index, [packageFile(path)]);
    for (const url of [`${index.base}${path}`, 'http://feeds.example/24.10/secret', 'http://feeds.example/secret'])
      expect(listed.find(url)).toBeUndefined();
  },
);

it('lets others work while it takes in a long index', async () => {
  const listed = listedFiles([index]);
  const packages = Array.from({ length: 150_000 }, (_, at) => packageFile(`%70ackage${at}.ipk`));
  let turns = 0;
  let isDone = false;
  const count = () => {
    turns++;
    if (!isDone) setImmediate(count);
  };
  setImmediate(count);
  await listed.addPackages(index, packages);
  isDone = true;
  expect(listed.find(`${index.base}package149999.ipk`)).toBeDefined();
  expect(turns).toBeGreaterThan(5);
});
