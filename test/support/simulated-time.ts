/** Clocks with timers that stand still until a test advances them. */
export interface SimulatedTime {
  readonly now: () => Date;
  readonly monotonic: () => number;
  /** The clock in the form that runners take. */
  readonly every: (ms: number, call: () => void) => () => void;
  /** Advances the clock and runs the timers in their order; it waits for `settled` after each. */
  pass(seconds: number): Promise<void>;
  /** Moves the time of day by so many seconds, which may be negative. Timers and durations are not affected. */
  step(seconds: number): void;
}

interface Timer {
  readonly ms: number;
  readonly call: () => void;
  next: number;
}

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

export function simulatedTime(start: Date, settled: () => Promise<unknown> = nextTurn): SimulatedTime {
  let clock = start.getTime();
  let set = 0;
  const timers = new Set<Timer>();
  return {
    now: () => new Date(clock + set),
    monotonic: () => clock,
    step: (seconds) => {
      set += seconds * 1000;
    },
    every(ms, call) {
      const timer = { ms, call, next: clock + ms };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    async pass(seconds) {
      const end = clock + seconds * 1000;
      for (;;) {
        const due = [...timers].filter(({ next }) => next <= end).sort((a, b) => a.next - b.next)[0];
        if (due === undefined) break;
        clock = due.next;
        due.next += due.ms;
        due.call();
        await settled();
      }
      clock = end;
    },
  };
}
