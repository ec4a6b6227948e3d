import type { Swept } from '#core/build/sweep.ts';
import { buildOutcome, type MetricEvents, methodLabel, secondsBetween } from './metric-events.ts';

interface EmfOptions {
  readonly service: string;
  /** CloudWatch's namespace: one per deployment. */
  readonly namespace: string;
  /** Default: a line to standard output, at once, since a function may be frozen after its answer. */
  readonly write?: (line: string) => void;
}

/** What only some processes tell: maintenance of sweeps, runners of leftovers. */
export interface EmfMetrics extends MetricEvents {
  readonly onSwept: (swept: Swept) => void;
  readonly onLeftover: () => void;
}

type Unit = 'Count' | 'Seconds';

/**
 * The same metrics, by name and label, for processes that nobody can scrape: lines in CloudWatch's embedded metric format, from
 * which CloudWatch makes metrics as it takes the log in. Labels are its dimensions, each set of values a metric that is paid for:
 * so they are few.
 */
export function emfMetrics({ service, namespace, write = (line) => void process.stdout.write(line) }: EmfOptions): EmfMetrics {
  /** One line; every metric with the labels that are its own. `more` is searched for in the log, and makes no metric. */
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
    onSwept: ({ errors, unread: _, ...swept }) => {
      for (const [outcome, count] of Object.entries({ ...swept, error: errors.length }))
        if (count > 0) put([['asu_swept_builds_total', 'Count', count, ['outcome']]], { outcome });
    },
  };
}
