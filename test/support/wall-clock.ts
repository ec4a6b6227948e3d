import { vi } from 'vitest';

const HOUR_MS = 3_600_000;
export const HOUR = HOUR_MS / 1000;

/** The time of day of this test's process, which a test can change. Timers and `performance.now()` are not affected. */
export interface WallClock {
  /** Moves the clock by so many seconds, which may be negative. */
  step(seconds: number): void;
  /** Restores the real clock. */
  restore(): void;
}

export function wallClock(): WallClock {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now(), shouldAdvanceTime: true });
  return {
    step: (seconds) => vi.setSystemTime(Date.now() + seconds * 1000),
    restore: () => void vi.useRealTimers(),
  };
}
