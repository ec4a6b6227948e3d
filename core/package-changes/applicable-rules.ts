import type { PackageRule, RuleScope } from './package-rule.ts';

/** What decides which rules are for a request. */
export interface RuleSubject {
  readonly version: string;
  readonly target: string;
  readonly profile: string;
  /** The version being upgraded from, if the client said so. */
  readonly fromVersion?: string | undefined;
}

/**
 * The rules that are for this request, in the order of the table.
 *
 * Not knowing what is upgraded from, these are exactly the reference server's. Knowing it, whatever renames or drops a
 * package is applied if it happened on the way: after the branch upgraded from, up to and including the branch upgraded to.
 * So a rename of 24.10 also holds from 23.05 to 25.12, and none holds within one branch or downwards. Rules that describe
 * the version upgraded to (a device needs a driver, a package exists no more) hold from wherever one comes.
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

/** Renames, and what the reference server leaves to clients: matters of the way from one version to another. */
const isMigration = ({ action, appliesTo }: PackageRule): boolean =>
  action.kind === 'replace' || action.kind === 'replace-prefix' || appliesTo === undefined;

function covers(scope: RuleScope, { version, target, profile }: RuleSubject): boolean {
  if (scope.branch !== undefined && !isOfBranch(version, scope.branch)) return false;
  if (scope.version !== undefined && version !== scope.version) return false;
  // By character, as asu/package_changes.py compares: digits sort below SNAPSHOT, and OpenWrt's years have two.
  if (scope.since !== undefined && version < scope.since) return false;
  if (scope.targets !== undefined && !scope.targets.includes(target)) return false;
  return scope.profiles === undefined || scope.profiles.includes(profile);
}

const isOfBranch = (version: string, branch: string): boolean =>
  version === branch || version.startsWith(`${branch}.`) || version.startsWith(`${branch}-`);

type Series = readonly [year: number, month: number];

/** The place of a version's branch in time, the main line last; unknown for what is no OpenWrt version. */
function series(version: string): Series | undefined {
  if (version === 'SNAPSHOT') return [Number.POSITIVE_INFINITY, 0];
  const [, year, month] = /^(\d+)\.(\d+)(?:[.-]|$)/.exec(version) ?? [];
  return year === undefined ? undefined : [Number(year), Number(month)];
}

const isBefore = (a: Series, b: Series): boolean => a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]);
