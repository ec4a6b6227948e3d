/** Clocks that stand still until they are told to go on, with timers on them. */
export interface SimulatedTime {
  readonly now: () => Date;
  readonly monotonic: () => number;
  /** As runners are given it. */
  readonly every: (ms: number, call: () => void) => () => void;
  /** Lets time go by, and every timer fire in its turn; `settled` is awaited after each. */
  pass(seconds: number): Promise<void>;
  /** Sets the time of day by so many seconds, back where they are negative. Nothing else notices. */
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
