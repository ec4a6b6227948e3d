import type { Swept } from '#core/build/sweep.ts';
import type { Log } from '#observe/log.ts';
import type { MetricEvents } from '#observe/metric-events.ts';
import type { RunMaintenanceDeps } from './run-maintenance.ts';

interface MaintenanceObservers {
  readonly log: Log;
  readonly metrics: Pick<MetricEvents, 'onSwept'>;
}

/** Counts what a sweep did, and logs one line for each that did something. Each failure is logged by itself. */
export const logSweep =
  ({ log, metrics }: MaintenanceObservers) =>
  (swept: Swept): void => {
    metrics.onSwept(swept);
    const { errors, ...counts } = swept;
    if (Object.values(counts).some((count) => count > 0)) log.info('builds swept', counts);
    for (const error of errors) log.error('build could not be swept', { error });
  };

/** What maintenance tells of itself, in log and metrics. */
export const logMaintenance = (observers: MaintenanceObservers): Pick<RunMaintenanceDeps, 'onSwept' | 'onPublished' | 'onError'> => ({
  onSwept: logSweep(observers),
  onPublished: (keys) => {
    if (keys.length > 0) observers.log.info('catalogue published', { keys });
  },
  onError: (error) => observers.log.error('maintenance failed', { error }),
});
