import type { LinuxKernel } from '#core/catalogue/catalogue.ts';
import { finished } from '#lib/sliced.ts';
import { type IndexPackage, plainPackage, plainRelation } from './index/index-package.ts';
import { groupOf, type PackageTable, packageTable } from './index/package-table.ts';
import { kernelVersion } from './kernel-version.ts';

export interface OwnPackagesInput {
  readonly tables: readonly PackageTable[];
  readonly arch: string;
  readonly kernel: LinuxKernel | undefined;
  /** Path of the version below the upstream base: `releases/24.10.2`, `snapshots`. */
  readonly versionPath: string;
}

/**
 * Returns the packages that an ImageBuilder has in a directory of its own, which is the last one in its configuration,
 * as far as the indexes do not list them: the C library and the kernel. It returns `undefined` if the indexes do not
 * list the kernel and upstream does not say which one it is. The version of the C library is unknown, and therefore
 * empty: packages need it in any version.
 */
export function imagebuilderPackages({ tables, arch, kernel, versionPath }: OwnPackagesInput): PackageTable | undefined {
  const isListed = (name: string): boolean => tables.some((table) => has(table, name));
  const own: IndexPackage[] = [];
  if (!isListed('libc')) own.push({ ...plainPackage('libc', '', arch), depends: isListed('libgcc') ? [needs('libgcc')] : [] });
  if (!isListed('kernel')) {
    if (kernel === undefined) return undefined;
    own.push(plainPackage('kernel', kernelVersion(kernel, versionPath), arch));
  }
  return finished(packageTable("the ImageBuilder's own packages", own));
}

const has = ({ numbers, providers }: PackageTable, name: string): boolean => {
  const number = numbers.get(name);
  return number !== undefined && groupOf(providers, number).length > 0;
};

const needs = (name: string) => ({ alternatives: [plainRelation(name)], isGreedy: false });
