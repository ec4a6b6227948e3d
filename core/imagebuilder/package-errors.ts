import { apkProblems } from './apk-errors.ts';
import { type BuildProblem, type FailureAnalysis, outputLines } from './failure-analysis.ts';
import { opkgProblems } from './opkg-errors.ts';

/** More would not be read. */
const MAX_EXPLANATIONS = 5;

/**
 * Returns what opkg or apk found impossible in a selection of packages, or `undefined` if they reported nothing.
 * `detail` begins like the reference server's (`missing (…) conflicts (…)`, sorted; check_package_errors in
 * asu/util.py) and adds what that leaves out: the package that needs the missing dependency, the packages that exclude
 * each other, the file that both contain.
 */
export const analysePackageErrors = (stderr: string, stdout = ''): FailureAnalysis | undefined =>
  packageErrorsOf(outputLines(stdout, stderr));

/** Returns the same for lines of output. */
export function packageErrorsOf(lines: readonly string[]): FailureAnalysis | undefined {
  const errors = [...opkgProblems(lines), ...apkProblems(lines)];
  return errors.length === 0 ? undefined : { detail: describePackageProblems(errors), errors };
}

/** Returns the problems in the words of the reference server, with what these leave out. */
export function describePackageProblems(errors: readonly BuildProblem[]): string {
  const missing = errors.flatMap((error) => {
    if (error.code === 'package_missing') return error.packages;
    return error.code === 'dependency_missing' ? [error.dependency] : [];
  });
  const conflicts = errors.flatMap((error) =>
    error.code === 'package_conflict' || error.code === 'file_clash' || error.code === 'package_uninstallable' ? error.packages : [],
  );
  const explanations = errors
    .filter((error) => error.code !== 'package_missing' || error.providers !== undefined)
    .slice(0, MAX_EXPLANATIONS)
    .map(({ message }) => `; ${message}`);
  return `Impossible package selection:${list('missing', missing)}${list('conflicts', conflicts)}${explanations.join('')}`;
}

const list = (label: string, names: readonly string[]): string =>
  names.length === 0 ? '' : ` ${label} (${[...new Set(names)].sort().join(', ')})`;
