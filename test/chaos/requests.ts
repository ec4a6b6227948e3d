import { packageSpecs } from '#demo/upstream/packages.ts';
import type { SeededRandom } from './seeded-random.ts';

/**
 * The kinds of requests. `kept`: its result lives longer than the run. `short`: its result expires during the run.
 * `private`: it has a first-boot script, and expires soonest. `slow`: its build takes some seconds. `refused`: it names
 * a package that does not exist. `fails`: its build always fails.
 */
export const REQUEST_KINDS = ['kept', 'short', 'private', 'slow', 'refused', 'fails'] as const;
export type RequestKind = (typeof REQUEST_KINDS)[number];

/** A request that clients send, any number of times. */
export interface ChaosRequest {
  readonly number: number;
  readonly kind: RequestKind;
  readonly body: {
    readonly version: string;
    readonly target: string;
    readonly profile: string;
    readonly packages: readonly string[];
    readonly packages_versions?: Readonly<Record<string, string>>;
    readonly [field: string]: unknown;
  };
}

const WEIGHTS: Readonly<Record<RequestKind, number>> = { kept: 45, short: 20, private: 10, slow: 10, refused: 7, fails: 8 };

const DEVICES = [
  { version: '24.10.2', target: 'x86/64', profile: 'generic', filesystem: 'squashfs' },
  { version: '24.10.2', target: 'ath79/generic', profile: 'test' },
  { version: '25.12.0', target: 'x86/64', profile: 'generic', filesystem: 'squashfs' },
] as const;

const PACKAGES = ['vim', 'nano', 'tmux', 'htop', 'curl', 'babeld', 'siproxd', 'batctl-default', 'test1', 'zzz', 'aaa', 'qqq'] as const;

/** Returns the request with this number. Two numbers seldom mean the same image: there are thousands of package lists. */
export function drawRequest(number: number, random: SeededRandom): ChaosRequest {
  const kind = random.weighted(WEIGHTS);
  const device = random.oneOf(DEVICES);
  const chosen = PACKAGES.filter(() => random.fraction() < 0.4);
  const packages = chosen.length === 0 ? [random.oneOf(PACKAGES)] : chosen;
  return { number, kind, body: { ...device, ...partOf(kind, packages, number) } };
}

function partOf(kind: RequestKind, packages: readonly string[], number: number) {
  switch (kind) {
    case 'kept':
      return { packages, packages_versions: Object.fromEntries(packages.map((name) => [name, versionOf(name)])) };
    case 'short':
      return { packages };
    case 'private':
      return { packages, defaults: `echo "request ${number}"` };
    case 'slow':
      return { packages: [...packages, 'slow-2'] };
    case 'refused':
      return { packages: [...packages, `no-such-package-${number}`] };
    case 'fails':
      return { packages: [...packages, 'fails-install'] };
  }
}

function versionOf(name: string): string {
  const found = packageSpecs.find((spec) => spec.name === name);
  return `${found?.version}-r${found?.release}`;
}
