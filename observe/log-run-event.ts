import { outcomeOfFailure, outcomeOfImage } from '#core/build/forecast-outcome.ts';
import type { RunEvent } from '#core/build/run-event.ts';
import { unnamedError } from '#lib/unnamed-error.ts';
import { buildLogFields } from './build-log-fields.ts';
import type { Log } from './log.ts';
import { packagesText } from './packages-text.ts';

/**
 * Writes one line for each event in a build's life. Builds with `defaults` are private: no line shows their request or
 * leads to their files. The reason of their failure names packages and repositories, so the log has the kind of failure
 * instead.
 */
export function logRunEvent(log: Log, event: RunEvent): void {
  if (event.type === 'ignored') {
    // A message does not say whether its build is private.
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
      // The line of the request has what was forecast, under the same correlation id.
      if (outcomeOfImage(event.order, event.output) === 'differed')
        log.warn('image differs from its forecast', {
          ...fields,
          verdict: event.order.forecast?.verdict,
          ...(!build.isPrivate && { packages: packagesText(event.output.installed ?? []) }),
        });
      return log.info('build done', {
        ...fields,
        ...(!build.isPrivate && { bin_dir: event.build.binDir }),
        durations_ms: event.output.durations,
      });
    case 'failed':
      if (event.order !== undefined && outcomeOfFailure(event.order, event.cause) === 'differed')
        log.warn('image differs from its forecast', { ...fields, verdict: event.order.forecast?.verdict });
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

/**
 * The cause of a failure. One that is neither the request's nor the machine's fault is a bug, and has its stack in the
 * log.
 */
function bug(cause: unknown, isPrivate: boolean) {
  if (cause instanceof Error && (cause.name === 'BuildFailure' || cause.name === 'InfrastructureFailure'))
    return isPrivate ? { kind: cause.name } : {};
  return { error: isPrivate ? unnamedError(cause) : cause };
}
