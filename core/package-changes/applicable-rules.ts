import type { PackageRule, RuleScope } from './package-rule.ts';

/** The facts that decide which rules apply to a request. */
export interface RuleSubject {
  readonly version: string;
  readonly target: string;
  readonly profile: string;
  /** The version that the device has now, if the client sent it. */
  readonly fromVersion?: string | undefined;
  /** Returns whether the new version has the package. Absent: it is taken to have every package. */
  readonly isOffered?: ((name: string) => boolean) | undefined;
}

/**
 * Returns the rules that apply to this request.
 *
 * Without `fromVersion` these are exactly the reference server's, in the order of the table. With it they come in the
 * order of the branches that introduced them, so that an upgrade over several branches gives the same list as the
 * upgrades from each branch to the next:
 *
 * - A rule that renames or drops a package applies if the change happened between the two versions: after the branch of
 *   the old one, up to and including the branch of the new one. For example, a rename of 24.10 also applies from 23.05 to
 *   25.12, and none applies within one branch or downwards.
 * - A rule that adds what was split off for a device also applies if the branch of the old version introduced it, since
 *   an upgrade within that branch has the rule too. A package that the new version no longer has is not added, unless
 *   the rule is one of the new version itself.
 * - All other rules describe the new version (a package no longer exists) and apply from every version.
 */
export function applicableRules(rules: readonly PackageRule[], subject: RuleSubject): PackageRule[] {
  const from = series(subject.fromVersion ?? '');
  const to = series(subject.version);
  const isCovered = ({ appliesTo }: PackageRule) => appliesTo !== undefined && covers(appliesTo, subject);
  if (from === undefined || to === undefined) return rules.filter(isCovered);

  const dated = rules.map((rule) => ({ rule, at: series(rule.introducedIn) ?? NEVER }));
  return dated
    .toSorted((a, b) => (isBefore(a.at, b.at) ? -1 : isBefore(b.at, a.at) ? 1 : 0))
    .flatMap(({ rule, at }) => {
      if (isMigration(rule)) return isBefore(from, at) && !isBefore(to, at) ? [rule] : [];
      if (isCovered(rule)) return [rule];
      const isOnTheWay = !isBefore(at, from) && !isBefore(to, at);
      return isOnTheWay ? splitFor(subject, rule) : [];
    });
}

/**
 * Returns whether the rule depends on the old version: renames, and the rules that the reference server leaves to
 * clients.
 */
const isMigration = ({ action, appliesTo }: PackageRule): boolean =>
  action.kind === 'replace' || action.kind === 'replace-prefix' || appliesTo === undefined;

/** Returns the rule, if it adds packages for this device in another version, with those that the new version has. */
function splitFor({ target, profile, isOffered = () => true }: RuleSubject, rule: PackageRule): PackageRule[] {
  if (rule.action.kind !== 'add' || rule.appliesTo === undefined || !coversDevice(rule.appliesTo, { target, profile })) return [];
  return [{ ...rule, action: { ...rule.action, packages: rule.action.packages.filter(isOffered) } }];
}

function covers(scope: RuleScope, { version, target, profile }: RuleSubject): boolean {
  if (scope.branch !== undefined && !isOfBranch(version, scope.branch)) return false;
  if (scope.version !== undefined && version !== scope.version) return false;
  // The comparison is by character, as in asu/package_changes.py: digits sort below SNAPSHOT, and OpenWrt's years have
  // two of them.
  if (scope.since !== undefined && version < scope.since) return false;
  return coversDevice(scope, { target, profile });
}

const coversDevice = ({ targets, profiles }: RuleScope, { target, profile }: Pick<RuleSubject, 'target' | 'profile'>): boolean =>
  (targets === undefined || targets.includes(target)) && (profiles === undefined || profiles.includes(profile));

const isOfBranch = (version: string, branch: string): boolean =>
  version === branch || version.startsWith(`${branch}.`) || version.startsWith(`${branch}-`);

type Series = readonly [year: number, month: number];

/** The place of a branch that no version is of or after, not even the main line. */
const NEVER: Series = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];

/**
 * Returns the place of a version's branch in time, the main line last, or `undefined` for text that is no OpenWrt
 * version.
 */
function series(version: string): Series | undefined {
  if (version === 'SNAPSHOT') return [Number.POSITIVE_INFINITY, 0];
  const [, year, month] = /^(\d+)\.(\d+)(?:[.-]|$)/.exec(version) ?? [];
  return year === undefined ? undefined : [Number(year), Number(month)];
}

const isBefore = (a: Series, b: Series): boolean => a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]);
