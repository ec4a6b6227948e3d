import type { Build } from './build.ts';
import type { BuildOrder } from './build-order.ts';

/** How long builds are remembered after their end, in seconds (`BUILD_TTL` and its kin). */
export interface TimesToLive {
  readonly buildSeconds: number;
  /** For requests without `packages_versions`. */
  readonly unversionedSeconds: number;
  /** For private builds, whose requests have `defaults`. */
  readonly defaultsSeconds: number;
  readonly failureSeconds: number;
}

type IsPrivate = Pick<Build, 'isPrivate'>;

/** How long the result of the build is remembered. */
export function resultSeconds(times: TimesToLive, { isPrivate }: IsPrivate, { request }: BuildOrder): number {
  if (isPrivate) return times.defaultsSeconds;
  return Object.keys(request.packages_versions).length > 0 ? times.buildSeconds : times.unversionedSeconds;
}

/** How long the failure of the build is remembered, whichever process wrote it. */
export const failureSeconds = (times: TimesToLive, { isPrivate }: IsPrivate): number =>
  isPrivate ? times.defaultsSeconds : times.failureSeconds;
