/** Which requests a rule is for; what is absent does not matter. */
export interface RuleScope {
  /** Versions of this branch: `24.10` means `24.10.2`, `24.10.0-rc1` and `24.10-SNAPSHOT`. */
  readonly branch?: string;
  /** This version alone. */
  readonly version?: string;
  /** This branch and everything after it, SNAPSHOT included. */
  readonly since?: string;
  readonly targets?: readonly string[];
  readonly profiles?: readonly string[];
}

/** The change that a rule makes to the list of requested packages. It never touches a name with a leading `-`. */
type RuleAction =
  /** Each package that is missing is put at the end. */
  | { readonly kind: 'add'; readonly packages: readonly string[] }
  | { readonly kind: 'remove'; readonly package: string }
  /** The old package goes, its successor is put at the end. */
  | { readonly kind: 'replace'; readonly from: string; readonly to: string }
  /** Each name with the old prefix gets the new one and keeps its place. */
  | { readonly kind: 'replace-prefix'; readonly from: string; readonly to: string }
  | { readonly kind: 'remove-matching'; readonly prefix: string; readonly suffix: string };

/** A change of OpenWrt's packages that requests have to follow. */
export interface PackageRule {
  readonly id: string;
  readonly action: RuleAction;
  /**
   * The requests that get this rule when the client does not send the version it upgrades from: the reference server's
   * rules (docs/contract.md §7). Without it the rule is applied only to upgrades that cross `introducedIn`.
   */
  readonly appliesTo?: RuleScope;
  /** The first branch that has the change. */
  readonly introducedIn: string;
  /** The first revision with the change, published in branches.json and overview.json (docs/contract.md §7). */
  readonly published?: { readonly revision: number; readonly mandatory?: boolean };
  /** The change and since when it holds, for the person whose list it changes. */
  readonly reason: string;
  /** The commit (or the discussion) that made the change. */
  readonly link?: string;
}
