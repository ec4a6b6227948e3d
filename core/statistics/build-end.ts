import type { CancelledBuild, DoneBuild, FailedBuild } from '#core/build/build.ts';
import type { BuildOrder } from '#core/build/build-order.ts';
import { type Branch, branchNameOf, branchOf } from '#core/catalogue/branches.ts';
import { DEFAULT_DISTRO } from '#core/catalogue/distro.ts';
import type { BuildOutput } from '#core/imagebuilder/build-output.ts';
import { anonymousError } from './anonymous-error.ts';
import { type BuildEnd, countedVersion } from './counts.ts';

/**
 * Returns what statistics may know of a build that has ended. For private builds (with `defaults`) that is their
 * number, how they ended and the device. For builds with repositories of the client it is no package names, since those
 * may be the client's own too.
 */
export function buildEnd(
  build: DoneBuild | FailedBuild | CancelledBuild,
  order: BuildOrder | undefined,
  branches: readonly Branch[],
  output?: Pick<BuildOutput, 'metadata' | 'profile'>,
): BuildEnd {
  const common = {
    hash: build.hash,
    enqueuedAt: build.enqueuedAt,
    endedAt: build.finishedAt,
    ...(order && { subject: subjectOf(order, branches) }),
  };
  const nothing = { milliseconds: 0, packages: [] };
  switch (build.state) {
    case 'done': {
      const milliseconds = Math.max(0, Date.parse(build.finishedAt) - Date.parse(build.startedAt)) || 0;
      const packages = build.isPrivate || order === undefined || output === undefined ? [] : extraPackages(order, output);
      return { ...common, outcome: 'success', milliseconds, packages };
    }
    case 'failed': {
      const isShown = !build.isPrivate && order !== undefined;
      return {
        ...common,
        outcome: 'failure',
        ...nothing,
        ...(isShown && { error: anonymousError(build.detail, order.request.repositories) }),
      };
    }
    case 'cancelled':
      return { ...common, outcome: 'cancelled', ...nothing };
  }
}

function subjectOf({ request: { distro, version, target, profile } }: BuildOrder, branches: readonly Branch[]) {
  const named = countedVersion(distro, version);
  const branch = distro === DEFAULT_DISTRO ? (branchOf(version, branches)?.name ?? version) : countedVersion(distro, branchNameOf(version));
  return { branch, version: named, target, profile };
}

/**
 * Returns the packages that were requested, neither for removal, nor in every image of the target or of the profile
 * (asu/build.py).
 */
function extraPackages({ request }: BuildOrder, { metadata, profile }: Pick<BuildOutput, 'metadata' | 'profile'>): string[] {
  if (Object.keys(request.repositories).length > 0) return [];
  const usual = new Set([...names(metadata['default_packages']), ...names(profile['device_packages'])]);
  return [...new Set(request.packages)].filter((name) => !name.startsWith('-') && !usual.has(name));
}

const names = (list: unknown): unknown[] => (Array.isArray(list) ? list : []);
