import { readInside } from '#runner/files/plain-file.ts';

/** The use of the definition in OpenWrt's Makefile that writes ABI versions behind words. */
const FORMAT_PACKAGES = /\$\(call FormatPackages,/;

/** Returns whether the ImageBuilder in `tree` writes ABI versions behind the words of PACKAGES before it calls apk. */
export async function addsAbi(tree: string): Promise<boolean> {
  const makefile = await readInside(tree, 'Makefile');
  return makefile !== undefined && FORMAT_PACKAGES.test(makefile.toString('utf8'));
}
