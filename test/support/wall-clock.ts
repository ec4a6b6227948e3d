import { vi } from 'vitest';

const HOUR_MS = 3_600_000;
export const HOUR = HOUR_MS / 1000;

/** The time of day of this test's process, to be set forward and back. Timers and `performance.now()` go on as they are. */
export interface WallClock {
  /** Sets the clock by so many seconds from what it shows now. */
  step(seconds: number): void;
  /** Gives the process its own clock back. */
  restore(): void;
}

export function wallClock(): WallClock {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now(), shouldAdvanceTime: true });
  return {
    step: (seconds) => vi.setSystemTime(Date.now() + seconds * 1000),
    restore: () => void vi.useRealTimers(),
  };
}
