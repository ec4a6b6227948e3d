import { type BuildProblem, MAX_PROBLEMS } from './failure-analysis.ts';
import { belowRoot, clashOf, conflictOf, missingDependency, missingPackage } from './package-problems.ts';

/** The messages of opkg so far about the package that it is about to give up. */
interface Circumstances {
  readonly unresolved: { readonly dependency: string; readonly neededBy: string }[];
  readonly clashes: { readonly packages: readonly [string, string]; readonly file: string }[];
  readonly conflicts: (readonly [string, string])[];
  /** The dependencies that opkg cannot satisfy, of whatever package. */
  readonly unsatisfied: string[];
  /** Its file could not be fetched or differs from the index, which is not the request's fault. */
  isDownload: boolean;
  /** The packages that exist, but of which opkg may install no candidate. */
  readonly unfit: Set<string>;
}

const circumstances = (): Circumstances => ({
  unresolved: [],
  clashes: [],
  conflicts: [],
  unsatisfied: [],
  isDownload: false,
  unfit: new Set(),
});

/**
 * opkg prints a dependency as the package declares it, with versions and alternatives (pkg_depend_str in
 * libopkg/pkg_depends.c): `cannot find dependency kernel (= 6.6.65~8d4a6e2f-r1) for kmod-usb2`.
 */
const UNRESOLVED = /^ \* pkg_hash_check_unresolved: cannot find dependency (\S.*) for (\S+)$/;
/** Dependencies follow, one per line. opkg judges a package once, so that a later word of the command has only this reason. */
const UNSATISFIED = /^ \* satisfy_dependencies_for: Cannot satisfy the following dependencies for \S+:$/;
const UNSATISFIED_DEPENDENCY = /^ \* \t(\S.*)$/;
/** opkg prints this also when all candidates lack a dependency. */
const OTHER_ARCHITECTURE =
  /^ \* pkg_hash_fetch_best_installation_candidate: Packages for (\S+) found, but incompatible with the architectures configured$/;
const CLASH = /^ \* check_data_file_clashes: Package (\S+) wants to install file (.+)$/;
const CLASH_OWNER = /^\s+But that file is already provided by package\s+\* (\S+)\s*$/;
const CONFLICT = /^ \* check_conflicts_for: The following packages conflict with (\S+):$/;
const CONFLICT_WITH = /^ \* check_conflicts_for:\s+(\S+)(?: .*)?$/;
/**
 * Matches a package that cannot be fetched. opkg reports an index that it cannot fetch long before it gives up
 * anything.
 */
const DOWNLOAD =
  /^ \* opkg_(?:download: Failed to download (?!\S+\/Packages(?:\.gz|\.sig)?,)|install_pkg: (?:Failed to download|Checksum or size mismatch|Package size mismatch))/;
const GIVEN_UP = /^ \* opkg_install_cmd: Cannot install package (\S+)\.$/;

/** Returns which package asks for each dependency that opkg cannot find, by the name of the dependency. */
export function opkgDependants(lines: readonly string[]): ReadonlyMap<string, ReadonlySet<string>> {
  const dependants = new Map<string, Set<string>>();
  for (const line of lines) {
    const [, dependency, neededBy] = UNRESOLVED.exec(line) ?? [];
    if (dependency === undefined || neededBy === undefined) continue;
    const known = dependants.get(nameOf(dependency));
    if (known === undefined) dependants.set(nameOf(dependency), new Set([neededBy]));
    else known.add(neededBy);
    if (dependants.size >= MAX_PROBLEMS) break;
  }
  return dependants;
}

/**
 * Returns why opkg did not install the packages, one entry per cause, in its order. opkg prints the reason and then
 * `Cannot install package X.`; without a reason, X does not exist, or opkg has not read its index.
 */
export function opkgProblems(lines: readonly string[]): BuildProblem[] {
  const problems: BuildProblem[] = [];
  let said = circumstances();
  let clashing: { name: string; file: string } | undefined;
  let conflicting: string | undefined;
  let isList = false;
  for (const line of lines) {
    const [, dependency, neededBy] = UNRESOLVED.exec(line) ?? [];
    const [, name, file] = CLASH.exec(line) ?? [];
    const owner = CLASH_OWNER.exec(line)?.[1];
    const conflict = CONFLICT.exec(line)?.[1];
    const conflictWith = CONFLICT_WITH.exec(line)?.[1];
    const unsatisfied: string | undefined = isList ? UNSATISFIED_DEPENDENCY.exec(line)?.[1] : undefined;
    isList = unsatisfied !== undefined || UNSATISFIED.test(line);
    const unfit = OTHER_ARCHITECTURE.exec(line)?.[1];
    const givenUp = GIVEN_UP.exec(line)?.[1];
    if (dependency !== undefined && neededBy !== undefined) said.unresolved.push({ dependency, neededBy });
    else if (name !== undefined && file !== undefined) clashing = { name, file: belowRoot(file) };
    else if (owner !== undefined && clashing !== undefined) said.clashes.push({ packages: [clashing.name, owner], file: clashing.file });
    else if (conflict !== undefined) conflicting = conflict;
    else if (conflictWith !== undefined && conflicting !== undefined) said.conflicts.push([conflicting, conflictWith]);
    else if (DOWNLOAD.test(line)) said.isDownload = true;
    else if (unfit !== undefined) said.unfit.add(unfit);
    else if (unsatisfied !== undefined) said.unsatisfied.push(unsatisfied);
    else if (givenUp !== undefined) {
      problems.push(...problemsOf(givenUp, said).slice(0, MAX_PROBLEMS));
      if (problems.length >= MAX_PROBLEMS) return problems;
      said = circumstances();
    }
  }
  return problems;
}

function problemsOf(asked: string, { unresolved, clashes, conflicts, unsatisfied, isDownload, unfit }: Circumstances): BuildProblem[] {
  // The last link of a chain is missing; the others only fail because of it.
  const waiting = new Set(unresolved.map(({ neededBy }) => neededBy));
  const found: BuildProblem[] = [
    ...unresolved
      .filter(({ dependency }) => !waiting.has(nameOf(dependency)))
      .map(({ dependency, neededBy }) => missingDependency(asked, neededBy, dependency)),
    ...conflicts.map(conflictOf),
    ...[...Map.groupBy(clashes, ({ packages }) => packages.toSorted().join(' ')).values()].map((group) =>
      clashOf(
        group[0]?.packages ?? [],
        group.map(({ file }) => file),
      ),
    ),
  ];
  if (found.length > 0 || isDownload) return found;
  if (unsatisfied.length > 0) return unsatisfied.map((dependency) => missingDependency(asked, asked, dependency));
  return [unfit.has(asked) ? ofOtherArchitecture(asked) : missingPackage(asked)];
}

/** `kernel (= 6.6.65-r1)` → `kernel`. */
export const nameOf = (dependency: string): string => dependency.split(' ', 1)[0] ?? dependency;

const ofOtherArchitecture = (name: string): BuildProblem => ({
  code: 'package_uninstallable',
  packages: [name],
  message: `${name} is made for another architecture than the device has`,
});
