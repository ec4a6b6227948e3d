/** A clock that stands still until it is told to go on, with timers on it. */
export interface SimulatedTime {
  readonly now: () => Date;
  /** As runners are given it. */
  readonly every: (ms: number, call: () => void) => () => void;
  /** Lets time go by, and every timer fire in its turn; `settled` is awaited after each. */
  pass(seconds: number): Promise<void>;
}

interface Timer {
  readonly ms: number;
  readonly call: () => void;
  next: number;
}

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

export function simulatedTime(start: Date, settled: () => Promise<unknown> = nextTurn): SimulatedTime {
  let clock = start.getTime();
  const timers = new Set<Timer>();
  return {
    now: () => new Date(clock),
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
