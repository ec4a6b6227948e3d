import type { Log } from '#observe/log.ts';
import type { RunMaintenanceDeps } from './run-maintenance.ts';

/** One line per run that did something; what failed is logged whole. */
export const logMaintenance = (log: Log): Pick<RunMaintenanceDeps, 'onSwept' | 'onPublished' | 'onTrouble'> => ({
  onSwept: ({ errors, ...swept }) => {
    if (Object.values(swept).some((count) => count > 0)) log.info('builds swept', swept);
    for (const error of errors) log.error('build could not be swept', { error });
  },
  onPublished: (keys) => {
    if (keys.length > 0) log.info('catalogue published', { keys });
  },
  onTrouble: (error) => log.error('maintenance failed', { error }),
});
