import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The time of day of other processes, which a run can set. Their timers and monotonic clocks are not affected. */
export interface SteppedClock {
  /** Moves the clock by so many seconds, which may be negative. */
  step(seconds: number): void;
  /** By how many seconds the clock is ahead of the machine's; negative: behind. */
  offsetSeconds(): number;
  /** The environment in which a Node process follows this clock, also after a restart. */
  readonly environment: Readonly<Record<string, string>>;
}

/** The farthest that the clock goes from the machine's: the store compares it with the times of files. */
const FARTHEST_SECONDS = 1_800;

/** Returns a clock whose offset is in `file`. Processes see a step within `FOLLOW_MS` of `stepped-clock-process.ts`. */
export function steppedClock(file: string): SteppedClock {
  let offset = 0;
  const write = () => writeFileSync(file, String(offset * 1000));
  write();
  const preload = fileURLToPath(new URL('./stepped-clock-process.ts', import.meta.url));
  return {
    step: (seconds) => {
      offset = Math.max(-FARTHEST_SECONDS, Math.min(FARTHEST_SECONDS, offset + seconds));
      write();
    },
    offsetSeconds: () => offset,
    environment: { NODE_OPTIONS: `--import=${preload}`, CHAOS_CLOCK: file },
  };
}
