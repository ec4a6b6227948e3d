import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { FORECAST_OUTCOMES, FORECAST_VERDICTS } from '#core/build/forecast-outcome.ts';
import type { QueuePositions } from '#core/build/ports.ts';
import { REFUSALS } from './answered.ts';
import {
  BUILD_OUTCOMES,
  buildOutcome,
  forecastOf,
  type MetricEvents,
  methodLabel,
  REQUEST_OUTCOMES,
  SWEPT_OUTCOMES,
  secondsBetween,
  sweptCounts,
  UPSTREAM_OUTCOMES,
} from './metric-events.ts';

const SANDBOX_LABELS = ['level', 'network', 'memory', 'tmp', 'unsigned'] as const;
/** How builds are kept from this machine; each label has a few values. */
export type SandboxLabels = Readonly<Record<(typeof SANDBOX_LABELS)[number], string>>;

export interface Metrics extends MetricEvents {
  /** Called with the number of builds that run here, and of builds that could. */
  readonly onSlots: (busy: number, total: number) => void;
  /** Called with how far builds are kept from this machine. */
  readonly onSandbox: (facts: SandboxLabels) => void;
  /** Returns all metrics as text in Prometheus' format. */
  readonly exposition: () => Promise<{ readonly text: string; readonly contentType: string }>;
}

/** The shortest answer is a finished build's status from memory, the longest a download that waits for upstream. */
const REQUEST_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** The shortest step finds everything done, the longest takes a build's whole time. */
const BUILD_SECONDS = [0.1, 0.5, 1, 5, 10, 30, 60, 120, 300, 600, 1200];
const WAIT_SECONDS = [0.1, 0.5, 1, 5, 15, 60, 300, 900, 1800, 3600, 14_400];
const UPSTREAM_SECONDS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/**
 * The Prometheus metrics of one service. Every label has a bounded number of values: endpoints are route templates,
 * never paths, since a label per request hash would grow forever. Outcomes begin at 0, so that the first failure is an
 * increase. Gauges of the queue are read when they are scraped.
 */
export function prometheusMetrics(service: string, positions?: QueuePositions): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const counter = (name: string, help: string, ...labelNames: string[]) => new Counter({ name, help, labelNames, registers });
  const histogram = (name: string, help: string, buckets: number[], ...labelNames: string[]) =>
    new Histogram({ name, help, buckets, labelNames, registers });
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers });
  /** A gauge that is left out while it cannot be read. The other metrics stay. */
  const looked = (name: string, help: string, look: () => Promise<number>) =>
    new Gauge({
      name,
      help,
      registers,
      collect: async function () {
        this.remove();
        await look().then(
          (value) => this.set(value),
          () => undefined,
        );
      },
    });

  const answers = counter('http_requests_total', 'Requests answered.', 'method', 'endpoint', 'status_code', 'service');
  const seconds = histogram(
    'http_request_duration_seconds',
    'Time to the beginning of the answer.',
    REQUEST_SECONDS,
    ...['method', 'endpoint', 'service'],
  );
  const bugs = counter(
    'asu_unexpected_errors_total',
    'Requests answered 500 by a fault of the server, or 503 because a store of its state cannot be used; each in the log.',
    'service',
  );
  bugs.inc({ service }, 0);

  const refused = counter('asu_refused_requests_total', 'Requests answered 429, by what there were too many of.', 'reason', 'service');
  for (const reason of REFUSALS) refused.inc({ reason, service }, 0);

  const requests = counter('asu_requests_total', 'Valid build requests by what they met: hit and joined are served from cache.', 'outcome');
  for (const outcome of REQUEST_OUTCOMES) requests.inc({ outcome }, 0);

  const builds = counter('asu_builds_total', 'Ends of attempts at builds.', 'outcome');
  for (const outcome of BUILD_OUTCOMES) builds.inc({ outcome }, 0);
  const forecasts = counter(
    'asu_forecast_total',
    'Ends of builds, by whether their packages could be installed as far as the server knew (verdict), and whether the build bore it out (outcome).',
    ...['verdict', 'outcome'],
  );
  for (const verdict of FORECAST_VERDICTS) for (const outcome of FORECAST_OUTCOMES) forecasts.inc({ verdict, outcome }, 0);
  const wait = histogram('asu_build_wait_seconds', 'Time from the request to the first attempt.', WAIT_SECONDS);
  const duration = histogram('asu_build_duration_seconds', 'Time of attempts that made images.', BUILD_SECONDS);
  const steps = histogram('asu_build_step_duration_seconds', 'Time of each step of finished builds.', BUILD_SECONDS, 'step');
  const slots = gauge('asu_runner_slots', 'Builds that may be worked on at once.');
  const busy = gauge('asu_runner_slots_busy', 'Builds being worked on here.');

  const sandbox = new Gauge({
    name: 'asu_sandbox',
    help: 'How builds are kept from this machine, in the labels.',
    labelNames: SANDBOX_LABELS,
    registers,
  });
  const leftovers = counter('asu_leftovers_total', 'Leftovers of builds that could not be removed and were set aside.');

  const swept = counter('asu_swept_builds_total', 'Builds that sweeps here dealt with, by what the sweep did.', 'outcome');
  for (const outcome of SWEPT_OUTCOMES) swept.inc({ outcome }, 0);

  const upstream = counter('asu_upstream_requests_total', 'Requests to upstream, one per attempt.', 'outcome');
  for (const outcome of UPSTREAM_OUTCOMES) upstream.inc({ outcome }, 0);
  const upstreamSeconds = histogram(
    'asu_upstream_request_duration_seconds',
    "Time to the beginning of upstream's answer.",
    UPSTREAM_SECONDS,
  );

  if (positions !== undefined) {
    looked('asu_queue_length', 'Builds waiting.', () => positions.waiting());
    looked('asu_queue_oldest_seconds', 'How long the build has waited that waits longest; 0 when none does.', async () => {
      const oldest = await positions.oldest();
      return oldest === undefined ? 0 : Math.max(0, (Date.now() - oldest.getTime()) / 1000);
    });
    looked('asu_builds_running', 'Builds being worked on anywhere.', () => positions.running());
  }

  return {
    onAnswered: ({ method: given, route: endpoint, status, milliseconds, isBug, refusal }) => {
      const method = methodLabel(given);
      answers.inc({ method, endpoint, status_code: status, service });
      seconds.observe({ method, endpoint, service }, milliseconds / 1000);
      if (isBug) bugs.inc({ service });
      if (refusal !== undefined) refused.inc({ reason: refusal, service });
    },
    onRequest: (outcome) => requests.inc({ outcome }),
    onRunEvent: (event) => {
      const outcome = buildOutcome(event);
      if (outcome !== undefined) builds.inc({ outcome });
      const forecast = forecastOf(event);
      if (forecast !== undefined) forecasts.inc(forecast);
      if (event.type === 'started' && event.build.attempt === 1)
        wait.observe(secondsBetween(event.build.enqueuedAt, event.build.startedAt));
      if (event.type !== 'done') return;
      duration.observe(event.seconds);
      for (const [step, ms] of Object.entries(event.output.durations)) steps.observe({ step }, ms / 1000);
    },
    onUpstream: (outcome, took) => {
      upstream.inc({ outcome });
      upstreamSeconds.observe(took);
    },
    onSlots: (now, total) => {
      busy.set(now);
      slots.set(total);
    },
    onSandbox: (facts) => sandbox.set({ ...facts }, 1),
    onSwept: (sweep) => {
      for (const [outcome, count] of Object.entries(sweptCounts(sweep))) swept.inc({ outcome }, count);
    },
    onLeftover: () => leftovers.inc(),
    exposition: async () => ({ text: await registry.metrics(), contentType: registry.contentType }),
  };
}
