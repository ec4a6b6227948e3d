import type { Monotonic, RecordStore } from '#core/stores.ts';

const KEY = 'build-pace';
/** How long a build is taken to last before any has been seen. */
const FIRST_GUESS_SECONDS = 60;
/** The weight of the newest build in the moving average. */
const WEIGHT = 0.2;

/** How long builds have taken lately, shared by all processes: `eta_seconds` is computed from it. */
export interface BuildPace {
  /**
   * Returns how long a build takes, as a moving average. It is read from the store every ten seconds at most; never
   * throws.
   */
  secondsPerBuild(): number;
  /** Adds one finished build to the average. If another process writes at the same moment, this build is left out. */
  record(seconds: number): Promise<void>;
}

export function buildPace(records: RecordStore, monotonic: Monotonic): BuildPace {
  let average = FIRST_GUESS_SECONDS;
  let readAt = Number.NEGATIVE_INFINITY;
  const read = async () => {
    const found = await records.get(KEY);
    const value = Number(found?.body);
    if (Number.isFinite(value) && value > 0) average = value;
    return found;
  };
  return {
    secondsPerBuild: () => {
      if (monotonic() - readAt > 10_000) {
        readAt = monotonic();
        read().catch(() => undefined);
      }
      return average;
    },
    record: async (seconds) => {
      const found = await read();
      const next = found === undefined ? seconds : average * (1 - WEIGHT) + seconds * WEIGHT;
      if (await records.replace(KEY, String(next), found?.tag)) average = next;
    },
  };
}
