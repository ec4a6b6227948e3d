import { expect, it } from 'vitest';
import { freshBinDir, freshHash, queued } from '#test/contracts/sample-builds.ts';
import { buildOf, itemOf } from './build-item.ts';

it('stores the attempts at earlier builds under the name that earlier versions read, and reads it from their items', () => {
  const build = { ...queued(freshHash()), previousBinDirs: [freshBinDir(), freshBinDir()] };
  const item = itemOf(build);
  expect(item['left']).toEqual({ S: build.previousBinDirs.join(' ') });
  expect(item).not.toHaveProperty('previousBinDirs');
  expect(buildOf(item)).toEqual(build);
  expect(buildOf(itemOf(queued(build.hash)))).toEqual(queued(build.hash));
});
