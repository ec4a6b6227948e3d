import { type Swept, UnsweptBuildError } from '#core/build/sweep.ts';
import { buildLogFields } from '#observe/build-log-fields.ts';
import type { Log } from '#observe/log.ts';
import type { RunMaintenanceDeps } from './run-maintenance.ts';

/** Writes what a sweep did, if it did anything, and each build that it could not sweep. */
export function logSwept(log: Log, { errors, unread: _, ...counts }: Swept): void {
  if (Object.values(counts).some((count) => count > 0)) log.info('builds swept', counts);
  for (const error of errors)
    if (error instanceof UnsweptBuildError) log.error('build could not be swept', { error: error.cause, ...buildLogFields(error.build) });
    else log.error('build could not be swept', { error });
}

/** Writes one line for each run that did something, and one for each failure. */
export const logMaintenance = (log: Log): Pick<RunMaintenanceDeps, 'onSwept' | 'onPublished' | 'onError'> => ({
  onSwept: (swept) => logSwept(log, swept),
  onPublished: (keys) => {
    if (keys.length > 0) log.info('catalogue published', { keys });
  },
  onError: (error) => log.error('maintenance failed', { error }),
});
