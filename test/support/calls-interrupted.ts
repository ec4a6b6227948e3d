/** Counts the calls of one process to all ports that `wrap` returns, and runs an interruption before one of them. */
export interface InterruptedCalls {
  wrap<Port extends object>(port: Port): Port;
  /** Whether the process made enough calls for the interruption to happen. */
  readonly isMet: boolean;
}

/**
 * Runs an interruption before call number `at` (from 0). It stands for everything that happens while the process is
 * stopped there.
 */
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
