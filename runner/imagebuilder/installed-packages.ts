import { join } from 'node:path';
import { type InstalledPackage, parseApkInstalled, parseOpkgStatus } from '#core/imagebuilder/manifest.ts';
import { entriesInside } from '#runner/files/entries.ts';
import { readInside } from '#runner/files/plain-file.ts';

const DATABASE = { opkg: 'usr/lib/opkg/status', apk: 'lib/apk/db/installed' } as const;

/**
 * What the root file system of a finished `make image` holds, from its package database
 * (`build_dir/target-…/root-<board>`). Empty where there is none to be read.
 */
export async function installedPackages(tree: string, packageManager: 'opkg' | 'apk'): Promise<InstalledPackage[]> {
  const parse = packageManager === 'apk' ? parseApkInstalled : parseOpkgStatus;
  for (const root of await roots(tree)) {
    const text = await readInside(tree, join(root, DATABASE[packageManager]));
    if (text !== undefined) return parse(text.toString('utf8'));
  }
  return [];
}

async function roots(tree: string): Promise<string[]> {
  const targets = await below(tree, 'build_dir', 'target-');
  return (await Promise.all(targets.map((target) => below(tree, target, 'root-')))).flat();
}

const below = async (tree: string, directory: string, prefix: string): Promise<string[]> => {
  const entries = await entriesInside(tree, directory);
  return entries.filter((entry) => entry.isDirectory() && entry.name.startsWith(prefix)).map(({ name }) => join(directory, name));
};
