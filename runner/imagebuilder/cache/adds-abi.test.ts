import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { addsAbi } from './adds-abi.ts';

it.each([
  ['that formats the packages', 'define FormatPackages\nendef\npackage_install: FORCE\n\t$(eval X:=$(call FormatPackages,$(X)))\n', true],
  ['that defines it without a use', 'define FormatPackages\nendef\n', false],
  ['of an earlier version', 'package_install: FORCE\n\t$(APK) add $(firstword $(wildcard x)) $(BUILD_PACKAGES)\n', false],
])('of an ImageBuilder with a Makefile %s', async (_, makefile, expected) => {
  const tree = await temporaryDirectory();
  await writeFile(join(tree, 'Makefile'), makefile);
  expect(await addsAbi(tree)).toBe(expected);
});

it('is false without a Makefile', async () => {
  expect(await addsAbi(await temporaryDirectory())).toBe(false);
});
