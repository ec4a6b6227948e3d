import type { RunEvent } from '#core/build/run-build.ts';
import { buildLogFields } from './build-log-fields.ts';
import type { Log } from './log.ts';
import { unnamedError } from './unnamed-error.ts';

/**
 * One line per turn in a build's life. Builds with `defaults` are private: nothing is logged that tells of their request or leads to their
 * files. How they failed names packages and repositories, so the kind of the failure is logged instead.
 */
export function logRunEvent(log: Log, event: RunEvent): void {
  if (event.type === 'ignored') {
    // Whether the build is private, a message does not say.
    return log.debug('message ignored', { correlation_id: event.message.correlationId, reason: event.reason });
  }
  const { build } = event;
  const fields = { ...buildLogFields(build), attempt: build.attempt };
  switch (event.type) {
    case 'started':
      return log.info('build started', {
        ...fields,
        ...(!build.isPrivate && {
          version: event.order.request.version,
          target: event.order.request.target,
          profile: event.order.request.profile,
          packages: event.order.request.packages.length,
        }),
      });
    case 'step':
      return log.debug('build step entered', { ...fields, step: event.step });
    case 'log':
      return build.isPrivate ? undefined : log.debug('build said', { ...fields, line: event.line });
    case 'done':
      return log.info('build done', {
        ...fields,
        ...(!build.isPrivate && { bin_dir: event.build.binDir }),
        durations_ms: event.output.durations,
      });
    case 'failed':
      return log.warn('build failed', {
        ...fields,
        ...(!build.isPrivate && { detail: event.build.detail }),
        cached: event.build.cached,
        ...bug(event.cause, build.isPrivate),
      });
    case 'retrying':
      return log.warn('build returned to the queue', {
        ...fields,
        ...(!build.isPrivate && { reason: event.build.lastFailure }),
        delay_s: event.delaySeconds,
        ...bug(event.cause, build.isPrivate),
      });
    case 'handed-back':
      return log.info('build handed back', fields);
    case 'lost':
      return log.warn('build lost to another runner', fields);
  }
}

/** A failure that is neither the request's nor the machine's is a bug of ours, logged with its stack. */
function bug(cause: unknown, isPrivate: boolean) {
  if (cause instanceof Error && (cause.name === 'BuildFailure' || cause.name === 'InfrastructureFailure'))
    return isPrivate ? { kind: cause.name } : {};
  return { error: isPrivate ? unnamedError(cause) : cause };
}
