import type { Random } from './random.ts';

/**
 * Runs everything in one order that the seed decides. Work comes in steps; each is atomic, since the next begins when
 * the code that waited for it has gone as far as it can. Time stands still while steps are ready, and then moves to the
 * next timer.
 */
export interface Scheduler {
  /** The true time in milliseconds since the start. */
  time(): number;
  /** The number of steps run so far. */
  steps(): number;
  /** Runs the call when so many milliseconds have passed. */
  in(ms: number, call: () => void): void;
  /** Lets the step be one of the next. */
  ready(step: () => void | Promise<void>): void;
  /** Runs until the time is over. `beforeTime` is called whenever time is about to move; `false` ends the run early. */
  run(untilMs: number, beforeTime: () => boolean): Promise<void>;
}

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly call: () => void;
}

/**
 * Lets all code go on that an answer has woken: Node runs the next tick when no promise has anything left to do. A turn
 * of the event loop would do the same, and takes longer than most steps.
 */
const settled = () => new Promise<void>((resolve) => process.nextTick(resolve));

export function scheduler(random: Random): Scheduler {
  let time = 0;
  let steps = 0;
  let order = 0;
  const ready: (() => void | Promise<void>)[] = [];
  /** The next timer is the last one. */
  const timers: Timer[] = [];

  const add = (timer: Timer) => {
    let low = 0;
    let high = timers.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((timers[middle] as Timer).at > timer.at) low = middle + 1;
      else high = middle;
    }
    timers.splice(low, 0, timer);
  };
  const takeReady = () => {
    const index = ready.length === 1 ? 0 : random.below(ready.length);
    const step = ready[index] as () => void | Promise<void>;
    ready[index] = ready.at(-1) as () => void;
    ready.pop();
    return step;
  };

  return {
    time: () => time,
    steps: () => steps,
    in: (ms, call) => add({ at: time + Math.max(0, ms), order: order++, call }),
    ready: (step) => void ready.push(step),
    run: async (untilMs, beforeTime) => {
      for (;;) {
        await settled();
        if (ready.length > 0) {
          steps += 1;
          await takeReady()();
          continue;
        }
        if (!beforeTime()) break;
        const next = timers.at(-1);
        if (next === undefined || next.at > untilMs) break;
        timers.pop();
        time = next.at;
        next.call();
      }
    },
  };
}
