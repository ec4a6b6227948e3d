import type { BuildProblem } from './failure-analysis.ts';

/** Returns the place of a file on the device, from its path in the ImageBuilder's `build_dir/target-…/root-…/`. */
export const belowRoot = (file: string): string =>
  `/${file.replace(/^.*\/build_dir\/target-[^/]+\/root(?:\.orig)?-[^/]+\//, '').replace(/^\/+/, '')}`;

export const missingPackage = (name: string): BuildProblem => ({
  code: 'package_missing',
  packages: [name],
  message: `${name} does not exist`,
});

export function missingDependency(asked: string, neededBy: string, dependency: string): BuildProblem {
  if (neededBy === asked)
    return {
      code: 'dependency_missing',
      packages: [asked],
      dependency,
      message: `${asked} needs ${dependency}, which does not exist`,
    };
  return {
    code: 'dependency_missing',
    packages: [asked],
    dependency,
    needed_by: neededBy,
    message: `${asked} needs ${neededBy}, which needs ${dependency}, which does not exist`,
  };
}

export function conflictOf(names: readonly string[]): Extract<BuildProblem, { code: 'package_conflict' }> {
  const packages = [...new Set(names)].sort();
  const message =
    packages.length === 1
      ? `${packages[0]} excludes itself: its repository describes it wrongly`
      : `${packages.join(' and ')} exclude each other`;
  return { code: 'package_conflict', packages, message };
}

export function clashOf(names: readonly string[], files: readonly string[]): BuildProblem {
  const packages = [...new Set(names)].sort();
  const unique = [...new Set(files)];
  const first = unique.length > 1 ? `${unique[0]} and ${unique.length - 1} more` : unique[0];
  const message =
    packages.length === 1
      ? `${packages[0]} brings ${first} more than once: its repository describes it wrongly`
      : `${packages.join(' and ')} both bring ${first}: remove one of them`;
  return { code: 'file_clash', packages, files: unique, message };
}

/**
 * Returns the package's name without the version that apk adds, as in `libevent2-7-2.1.12-r2`. OpenWrt's names are
 * lower case; other text stays as it is.
 */
export function withoutVersion(text: string): string {
  return /^([a-z0-9][a-z0-9._+-]*?)-\d[^-]*(?:-r\d+)?$/.exec(text)?.[1] ?? text;
}
