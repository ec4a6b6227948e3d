import type { Monotonic } from '#core/stores.ts';
import { boundedMap } from '#lib/bounded-map.ts';

/** Knows how long this process has seen things unchanged, by a clock that is never set. */
export interface Sightings {
  /** Returns for how many seconds the thing of this name has been seen in this version; 0 for a new version. */
  secondsOf(name: string, version: string): number;
}

/**
 * More than there are leases at a time. A forgotten thing counts as new, which makes the sweeper later but never too
 * early.
 */
const MAX_SEEN = 20_000;

export function sightings(monotonic: Monotonic): Sightings {
  const seen = boundedMap<{ readonly version: string; readonly since: number }>(MAX_SEEN, () => 1);
  return {
    secondsOf: (name, version) => {
      const time = monotonic();
      const known = seen.get(name);
      if (known?.version === version) return (time - known.since) / 1000;
      seen.set(name, { version, since: time });
      return 0;
    },
  };
}
