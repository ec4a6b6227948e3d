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
}

/**
 * Returns a circuit breaker, which spares a failed service the load and its callers the wait. After `openMs` one probe
 * decides whether all may ask again.
 */
export function circuitBreaker({ monotonic, threshold, openMs }: CircuitBreakerOptions): CircuitBreaker {
  let failures = 0;
  let openedAt: number | undefined;
  let probing = false;

  return {
    async run(task) {
      const isProbe = openedAt !== undefined;
      if (openedAt !== undefined) {
        if (probing || monotonic() - openedAt < openMs) throw new CircuitOpenError();
        probing = true;
      }
      try {
        const result = await task();
        failures = 0;
        openedAt = undefined;
        return result;
      } catch (error) {
        failures += 1;
        if (isProbe || failures >= threshold) openedAt = monotonic();
        throw error;
      } finally {
        if (isProbe) probing = false;
      }
    },
  };
}
