import type { Clock, Monotonic } from '#core/stores.ts';
import { boundedMap } from '#lib/bounded-map.ts';
import type { Build } from './build.ts';

/** The time by which it is judged whether the end of a build still counts. */
export type TimeOfBuild = (build: Build) => Date;

/** More than the ended builds that clients ask about at a time. */
const MAX_SEEN = 10_000;

/**
 * Returns the time of day; for a build that has ended, at least what this process has counted since it first saw the
 * end. A clock that is set back, or another machine's clock that is ahead, keeps no result, failure or pause alive for
 * longer than its own time.
 *
 * The count begins with the time of day at the first sight, or with the time of day at the start of the process plus
 * what has passed since, whichever is earlier: a clock that was wrong for a moment would otherwise hide every result
 * first seen in that moment.
 */
export function timeOfBuilds(now: Clock, monotonic: Monotonic): TimeOfBuild {
  const seen = boundedMap<{ readonly finishedAt: string; readonly offset: number }>(MAX_SEEN, () => 1);
  const startOffset = now().getTime() - monotonic();
  return (build) => {
    const time = now().getTime();
    if (!('finishedAt' in build)) return new Date(time);
    const counted = monotonic();
    const known = seen.get(build.hash);
    if (known?.finishedAt === build.finishedAt) return new Date(Math.max(time, known.offset + counted));
    const offset = Math.max(Math.min(time, startOffset + counted), Date.parse(build.finishedAt)) - counted;
    seen.set(build.hash, { finishedAt: build.finishedAt, offset });
    return new Date(Math.max(time, offset + counted));
  };
}
