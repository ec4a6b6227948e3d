import { expect, it } from 'vitest';
import { findTool } from '#runner/imagebuilder/sandbox/host-tools.ts';
import { loadablePerlModules } from './perl-modules.ts';

const perl = (await findTool('perl')) ?? 'no-perl';

it('loadablePerlModules returns the modules that perl can load, and no others', async () => {
  const found = await loadablePerlModules(perl, ['Data::Dumper', 'No::Such::Module', 'File::Copy']);
  expect(found).toEqual(perl === 'no-perl' ? [] : ['Data::Dumper', 'File::Copy']);
});

it('loadablePerlModules returns nothing where there is no perl', async () => {
  expect(await loadablePerlModules('no-perl', ['File::Copy'])).toEqual([]);
});
