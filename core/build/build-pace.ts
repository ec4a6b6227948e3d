import type { Monotonic, RecordStore } from '#core/stores.ts';

const KEY = 'build-pace';
/** What a build is taken to last before any has been seen. */
const FIRST_GUESS_SECONDS = 60;
/** Weight of the newest build in the moving average. */
const WEIGHT = 0.2;

/** How long builds have taken lately, shared by all processes: what `eta_seconds` is made of. */
export interface BuildPace {
  /** Seconds a build takes, by a moving average. Read at most every ten seconds from the store; never throws. */
  secondsPerBuild(): number;
  /** Takes one finished build into the average; a lost race is no loss. */
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
