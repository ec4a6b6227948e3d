import { applicableRules, type RuleSubject } from './applicable-rules.ts';
import type { PackageRule } from './package-rule.ts';
import { PACKAGE_RULES } from './package-rules.ts';

export interface ResolvePackagesInput extends RuleSubject {
  /** The normalised names; `-name` is a removal. */
  readonly packages: readonly string[];
  /** If not empty, its keys are the request's packages (docs/contract.md §4), and `packages` does not matter. */
  readonly packagesVersions: Readonly<Record<string, string>>;
}

/** One change made to a request, as the client reads it (docs/contract.md §3). */
export type PackageChange = { readonly reason: string; readonly automatic: true } & (
  | { readonly type: 'migration'; readonly action: 'replace'; readonly from_package: string; readonly to_package: string }
  | { readonly type: 'removal'; readonly action: 'remove'; readonly package: string }
  | { readonly type: 'addition'; readonly action: 'add'; readonly package: string }
);

export interface ResolvedPackages {
  readonly packages: readonly string[];
  readonly packagesVersions: Readonly<Record<string, string>>;
  /** The changes in the order of the rules. */
  readonly changes: readonly PackageChange[];
}

/**
 * Returns the package list brought up to the version of the request. It is deterministic and idempotent, leaves its
 * input alone, keeps the order and drops repetitions. A package that the request removes by `-name` is never added, and
 * never the successor in a rename. `packagesVersions` follows: a renamed package may have any version (`''`), since the
 * required one was its predecessor's. A removed package leaves the map, and an added one does not enter it.
 */
export function resolvePackages(input: ResolvePackagesInput, rules: readonly PackageRule[] = PACKAGE_RULES): ResolvedPackages {
  const isVersioned = Object.keys(input.packagesVersions).length > 0;
  const list = packageList(isVersioned ? Object.keys(input.packagesVersions) : input.packages, input.packagesVersions);
  for (const rule of applicableRules(rules, input)) apply(rule, list);
  // What was added is last, as when a list with versions, which does not have it, is resolved again.
  const isAdded = (name: string) => list.added.has(name);
  const packages = [...list.packages].filter((name) => !isAdded(name)).concat([...list.packages].filter(isAdded));
  return { packages, packagesVersions: Object.fromEntries(list.versions), changes: list.changes };
}

interface PackageList {
  packages: Set<string>;
  versions: Map<string, string>;
  /** The packages that a rule added, and that no rule has renamed since. */
  readonly added: Set<string>;
  readonly changes: PackageChange[];
}

const packageList = (packages: readonly string[], versions: Readonly<Record<string, string>>): PackageList => ({
  packages: new Set(packages),
  versions: new Map(Object.entries(versions)),
  added: new Set(),
  changes: [],
});

function apply({ action, reason }: PackageRule, list: PackageList): void {
  switch (action.kind) {
    case 'add':
      for (const name of action.packages) if (isMissing(list, name)) add(list, name, reason);
      return;
    case 'remove':
      if (list.packages.has(action.package)) remove(list, action.package, reason);
      return;
    case 'replace':
      if (list.packages.has(action.from)) replace(list, action.from, action.to, reason, 'at the end');
      return;
    case 'replace-prefix':
      for (const name of [...list.packages])
        if (name.startsWith(action.from)) replace(list, name, action.to + name.slice(action.from.length), reason, 'in place');
      return;
    case 'remove-matching':
      for (const name of [...list.packages]) if (name.startsWith(action.prefix) && name.endsWith(action.suffix)) remove(list, name, reason);
      return;
  }
}

const isMissing = ({ packages }: PackageList, name: string): boolean => !packages.has(name) && !packages.has(`-${name}`);

function add({ packages, added, changes }: PackageList, name: string, reason: string): void {
  packages.add(name);
  added.add(name);
  changes.push({ type: 'addition', action: 'add', package: name, reason, automatic: true });
}

function remove({ packages, versions, changes }: PackageList, name: string, reason: string): void {
  packages.delete(name);
  versions.delete(name);
  changes.push({ type: 'removal', action: 'remove', package: name, reason, automatic: true });
}

function replace(list: PackageList, from: string, to: string, reason: string, place: 'in place' | 'at the end'): void {
  if (!isMissing(list, to)) {
    remove(list, from, reason);
    return;
  }
  const hadVersion = list.versions.has(from);
  if (place === 'in place') {
    list.packages = new Set([...list.packages].map((name) => (name === from ? to : name)));
    list.versions = new Map([...list.versions].map(([name, version]) => (name === from ? [to, ''] : [name, version])));
  } else {
    list.packages.delete(from);
    list.packages.add(to);
    list.versions.delete(from);
    if (hadVersion) list.versions.set(to, '');
  }
  list.changes.push({ type: 'migration', action: 'replace', from_package: from, to_package: to, reason, automatic: true });
}
