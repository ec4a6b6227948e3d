/** The calls of one process to the ports it is given by `wrap`, counted together; before one of them something else happens. */
export interface InterruptedCalls {
  wrap<Port extends object>(port: Port): Port;
  /** Whether there were so many calls that the interruption came. */
  readonly isMet: boolean;
}

/** Lets something else happen before the call number `at` (from 0): all that a process which is stopped there does not see. */
export function callsInterrupted(at: number, interruption: () => Promise<void>): InterruptedCalls {
  let calls = 0;
  return {
    wrap: (port) =>
      new Proxy(port, {
        get: (target, name) => {
          const value = Reflect.get(target, name, target);
          if (typeof value !== 'function') return value;
          return async (...input: unknown[]) => {
            if (calls++ === at) await interruption();
            return value.apply(target, input);
          };
        },
      }),
    get isMet() {
      return calls > at;
    },
  };
}
