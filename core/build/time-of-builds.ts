import type { Clock, Monotonic } from '#core/stores.ts';
import { boundedMap } from '#lib/bounded-map.ts';
import type { Build } from './build.ts';

/** The time by which it is judged whether the end of a build still counts. */
export type TimeOfBuild = (build: Build) => Date;

/** Ended builds that are asked for at a time. */
const MAX_SEEN = 10_000;

/**
 * The time of day, but for a build that has ended never behind what this process has counted since it first saw the end. So a clock
 * that is set back, or another machine's that is ahead, keeps no result, failure or pause alive for longer than its own time.
 */
export function timeOfBuilds(now: Clock, monotonic: Monotonic): TimeOfBuild {
  const seen = boundedMap<{ readonly finishedAt: string; readonly offset: number }>(MAX_SEEN, () => 1);
  return (build) => {
    const time = now();
    if (!('finishedAt' in build)) return time;
    const known = seen.get(build.hash);
    if (known?.finishedAt === build.finishedAt) return new Date(Math.max(time.getTime(), known.offset + monotonic()));
    const first = Math.max(time.getTime(), Date.parse(build.finishedAt));
    seen.set(build.hash, { finishedAt: build.finishedAt, offset: first - monotonic() });
    return new Date(first);
  };
}
