import type { Checks } from '#http/checks.ts';
import type { Routes } from '#http/http-app.ts';
import type { Log } from '#observe/log.ts';
import type { MetricEvents } from '#observe/metric-events.ts';

/** A function put together from its settings and clients: what its Lambda handler and its service both serve. */
export interface Composition {
  readonly routes: readonly Routes[];
  /** The stores and services that the function cannot do without. Both ways of running check them before the first request. */
  readonly checks: Checks;
  /** Others that the function may miss while it starts, such as upstream. Only `/ready` of a service looks at it. */
  readonly readyChecks?: Checks;
  /** The places of which the function has copies. A service is only `degraded` while one of these does not answer. */
  readonly sources?: Checks;
  /**
   * Writes the counts that are still in memory. Lambda calls it after each answer, a service every few seconds and when
   * it ends.
   */
  readonly flush?: () => Promise<void>;
}

/** The parts that each way of running gives to every composition. */
export interface CompositionParts {
  readonly log: Log;
  readonly metrics: Pick<MetricEvents, 'onUpstream' | 'onRequest' | 'onSwept'>;
}
