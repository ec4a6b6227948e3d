import { type Swept, UnsweptBuildError } from '#core/build/sweep.ts';
import { buildLogFields } from '#observe/build-log-fields.ts';
import type { Log } from '#observe/log.ts';
import type { MetricEvents } from '#observe/metric-events.ts';
import type { RunMaintenanceDeps } from './run-maintenance.ts';

interface MaintenanceObservers {
  readonly log: Log;
  readonly metrics: Pick<MetricEvents, 'onSwept'>;
}

/** Counts what a sweep did, logs one line for each sweep that did something, and one for each build that it could not sweep. */
export const logSweep =
  ({ log, metrics }: MaintenanceObservers) =>
  (swept: Swept): void => {
    metrics.onSwept(swept);
    const { errors, unread: _, ...counts } = swept;
    if (Object.values(counts).some((count) => count > 0)) log.info('builds swept', counts);
    for (const error of errors)
      if (error instanceof UnsweptBuildError) log.error('build could not be swept', { error: error.cause, ...buildLogFields(error.build) });
      else log.error('build could not be swept', { error });
  };

/** Observes maintenance in log and metrics. */
export const logMaintenance = (observers: MaintenanceObservers): Pick<RunMaintenanceDeps, 'onSwept' | 'onPublished' | 'onError'> => ({
  onSwept: logSweep(observers),
  onPublished: (keys) => {
    if (keys.length > 0) observers.log.info('catalogue published', { keys });
  },
  onError: (error) => observers.log.error('maintenance failed', { error }),
});
