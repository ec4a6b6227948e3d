import { buildOutcome, forecastOf, type MetricEvents, methodLabel, secondsBetween, sweptCounts } from './metric-events.ts';

interface EmfOptions {
  readonly service: string;
  /** CloudWatch's namespace: one per deployment. */
  readonly namespace: string;
  /** Writes one line. Default: to standard output at once, since a function may be frozen after its answer. */
  readonly write?: (line: string) => void;
}

type Unit = 'Count' | 'Seconds';

/**
 * The metrics of a process that cannot be scraped, under the same names and labels: lines in CloudWatch's embedded
 * metric format, from which CloudWatch makes metrics when it reads the log. Labels are dimensions there, and each set
 * of their values is a metric that costs money, which is why there are few.
 */
export function emfMetrics({ service, namespace, write = (line) => void process.stdout.write(line) }: EmfOptions): MetricEvents {
  /**
   * Writes one line, in which each metric has its own labels. `more` can be searched for in the log and makes no
   * metric.
   */
  const put = (
    metrics: readonly (readonly [name: string, unit: Unit, value: number, labels: readonly string[]])[],
    labels: Readonly<Record<string, string>> = {},
    more: Readonly<Record<string, string>> = {},
  ) => {
    const directives = metrics.map(([Name, Unit, , names]) => ({
      Namespace: namespace,
      Dimensions: [['service', ...names]],
      Metrics: [{ Name, Unit }],
    }));
    const values = Object.fromEntries(metrics.map(([name, , value]) => [name, value]));
    write(
      `${JSON.stringify({ _aws: { Timestamp: Date.now(), CloudWatchMetrics: directives }, service, ...labels, ...values, ...more })}\n`,
    );
  };

  return {
    onAnswered: ({ method, route: endpoint, status, milliseconds, isBug, refusal, correlationId }) => {
      put(
        [
          ['http_requests_total', 'Count', 1, ['method', 'endpoint', 'status_code']],
          ['http_request_duration_seconds', 'Seconds', milliseconds / 1000, ['method', 'endpoint']],
          ['asu_unexpected_errors_total', 'Count', isBug ? 1 : 0, []],
        ],
        { method: methodLabel(method), endpoint, status_code: String(status) },
        { correlation_id: correlationId },
      );
      if (refusal !== undefined) put([['asu_refused_requests_total', 'Count', 1, ['reason']]], { reason: refusal });
    },
    onRequest: (outcome) => put([['asu_requests_total', 'Count', 1, ['outcome']]], { outcome }),
    onRunEvent: (event) => {
      const outcome = buildOutcome(event);
      if (event.type === 'started' && event.build.attempt === 1)
        put([['asu_build_wait_seconds', 'Seconds', secondsBetween(event.build.enqueuedAt, event.build.startedAt), []]]);
      if (outcome === undefined) return;
      put(
        [
          ['asu_builds_total', 'Count', 1, ['outcome']],
          ...(event.type === 'done' ? [['asu_build_duration_seconds', 'Seconds', event.seconds, []] as const] : []),
        ],
        { outcome },
      );
      const forecast = forecastOf(event);
      if (forecast !== undefined) put([['asu_forecast_total', 'Count', 1, ['verdict', 'outcome']]], forecast);
      if (event.type === 'done')
        for (const [step, ms] of Object.entries(event.output.durations))
          put([['asu_build_step_duration_seconds', 'Seconds', ms / 1000, ['step']]], { step });
    },
    onUpstream: (outcome, seconds) =>
      put(
        [
          ['asu_upstream_requests_total', 'Count', 1, ['outcome']],
          ['asu_upstream_request_duration_seconds', 'Seconds', seconds, []],
        ],
        { outcome },
      ),
    onLeftover: () => put([['asu_leftovers_total', 'Count', 1, []]]),
    onSwept: (swept) => {
      for (const [outcome, count] of Object.entries(sweptCounts(swept)))
        if (count > 0) put([['asu_swept_builds_total', 'Count', count, ['outcome']]], { outcome });
    },
  };
}
