/** The service failed so often that callers leave it alone for a while. */
export class CircuitOpenError extends Error {
  override readonly name = 'CircuitOpenError';
  constructor() {
    super('it failed repeatedly and is given time to recover');
  }
}

export interface CircuitBreaker {
  /**
   * Runs the task, or throws `CircuitOpenError` at once while the circuit is open. Any rejection of the task is a
   * failure.
   */
  run<T>(task: () => Promise<T>): Promise<T>;
}

interface CircuitBreakerOptions {
  readonly monotonic: () => number;
  /** The number of failures in a row that opens the circuit. */
  readonly threshold: number;
  /** The time until one task may try again. */
  readonly openMs: number;
  /** How much longer or shorter each such time is at most, as a share of it, so that processes do not try together. Default: 0. */
  readonly jitter?: number;
  /** Returns a number from 0 to 1. Default: `Math.random`. */
  readonly random?: () => number;
}

/**
 * Returns a circuit breaker, which spares a failed service the load and its callers the wait. After `openMs` one probe
 * decides whether all may ask again.
 */
export function circuitBreaker(options: CircuitBreakerOptions): CircuitBreaker {
  const { monotonic, threshold, openMs, jitter = 0, random = Math.random } = options;
  let failures = 0;
  /** When the next probe may go; `undefined` while the circuit is closed. */
  let probeAt: number | undefined;
  let probing = false;

  return {
    async run(task) {
      const isProbe = probeAt !== undefined;
      if (probeAt !== undefined) {
        if (probing || monotonic() < probeAt) throw new CircuitOpenError();
        probing = true;
      }
      try {
        const result = await task();
        failures = 0;
        probeAt = undefined;
        return result;
      } catch (error) {
        failures += 1;
        if (isProbe || failures >= threshold) probeAt = monotonic() + openMs * (1 + jitter * (2 * random() - 1));
        throw error;
      } finally {
        if (isProbe) probing = false;
      }
    },
  };
}
