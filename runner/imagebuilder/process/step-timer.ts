import type { BuildStep } from '#core/build/build.ts';

/** The milliseconds that each step took, and those of the make processes alone. */
export interface StepTimer {
  enter(step: BuildStep): void;
  make(name: string, ms: number): void;
  durations(): Record<string, number>;
}

export function stepTimer(): StepTimer {
  const durations: Record<string, number> = {};
  let current: BuildStep | undefined;
  let since = performance.now();
  const close = () => {
    const now = performance.now();
    if (current !== undefined) durations[current] = Math.round((durations[current] ?? 0) + now - since);
    since = now;
  };
  return {
    enter: (step) => {
      close();
      current = step;
    },
    make: (name, ms) => {
      durations[name] = Math.round((durations[name] ?? 0) + ms);
    },
    durations: () => {
      close();
      return { ...durations };
    },
  };
}
