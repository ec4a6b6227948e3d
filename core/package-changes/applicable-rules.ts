import type { PackageRule, RuleScope } from './package-rule.ts';

/** The facts that decide which rules apply to a request. */
export interface RuleSubject {
  readonly version: string;
  readonly target: string;
  readonly profile: string;
  /** The version that the device has now, if the client sent it. */
  readonly fromVersion?: string | undefined;
}

/**
 * Returns the rules that apply to this request, in the order of the table.
 *
 * Without `fromVersion` these are exactly the reference server's. With it, a rule that renames or drops a package
 * applies if the change happened between the two versions: after the branch of the old one, up to and including the
 * branch of the new one. For example, a rename of 24.10 also applies from 23.05 to 25.12, and none applies within one
 * branch or downwards. Rules that describe the new version (a device needs a driver, a package no longer exists) apply
 * from every version.
 */
export function applicableRules(rules: readonly PackageRule[], subject: RuleSubject): PackageRule[] {
  const from = series(subject.fromVersion ?? '');
  const to = series(subject.version);
  const crossed =
    from === undefined || to === undefined
      ? undefined
      : (rule: PackageRule) => {
          const at = series(rule.introducedIn);
          return at !== undefined && isBefore(from, at) && !isBefore(to, at);
        };
  return rules.filter((rule) => {
    if (crossed !== undefined && isMigration(rule)) return crossed(rule);
    return rule.appliesTo !== undefined && covers(rule.appliesTo, subject);
  });
}

/**
 * Returns whether the rule depends on the old version: renames, and the rules that the reference server leaves to
 * clients.
 */
const isMigration = ({ action, appliesTo }: PackageRule): boolean =>
  action.kind === 'replace' || action.kind === 'replace-prefix' || appliesTo === undefined;

function covers(scope: RuleScope, { version, target, profile }: RuleSubject): boolean {
  if (scope.branch !== undefined && !isOfBranch(version, scope.branch)) return false;
  if (scope.version !== undefined && version !== scope.version) return false;
  // The comparison is by character, as in asu/package_changes.py: digits sort below SNAPSHOT, and OpenWrt's years have
  // two of them.
  if (scope.since !== undefined && version < scope.since) return false;
  if (scope.targets !== undefined && !scope.targets.includes(target)) return false;
  return scope.profiles === undefined || scope.profiles.includes(profile);
}

const isOfBranch = (version: string, branch: string): boolean =>
  version === branch || version.startsWith(`${branch}.`) || version.startsWith(`${branch}-`);

type Series = readonly [year: number, month: number];

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
