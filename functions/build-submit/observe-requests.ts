import type { StatisticsRecorder } from '#core/statistics/record-statistics.ts';
import { buildLogFields } from '#observe/build-log-fields.ts';
import type { Log } from '#observe/log.ts';
import type { MetricEvents } from '#observe/metric-events.ts';
import { packagesText } from '#observe/packages-text.ts';
import type { BuildSubmitAppDeps } from './app.ts';

/** Counts build requests in metrics and statistics, and logs messages that could not be sent. */
export const observeRequests = (
  { log, metrics }: { readonly log: Log; readonly metrics: Pick<MetricEvents, 'onRequest'> },
  recorder: Pick<StatisticsRecorder, 'onSubmitted' | 'onRejected'>,
): Required<Pick<BuildSubmitAppDeps, 'onSubmitted' | 'onRejected' | 'onSendFailure'>> => ({
  onSubmitted: (submitted, client, correlationId) => {
    const { outcome, forecast, prepared } = submitted;
    if (outcome === 'new' && forecast !== undefined)
      log.info('image forecast', {
        correlation_id: correlationId,
        verdict: forecast.verdict,
        ...(forecast.reason !== undefined && { reason: forecast.reason }),
        ...(!prepared.resolved.defaults && { request_hash: prepared.hash, packages: packagesText(forecast.installed) }),
      });
    metrics.onRequest(submitted.outcome);
    recorder.onSubmitted(submitted, client);
  },
  onRejected: (client) => {
    metrics.onRequest('rejected');
    recorder.onRejected(client);
  },
  onSendFailure: (error, build) => log.error('message could not be sent', { error, ...buildLogFields(build) }),
});
