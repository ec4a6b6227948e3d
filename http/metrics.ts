import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { QueuePositions } from '#core/ports.ts';
import type { RunEvent } from '#core/run-build.ts';
import type { HttpAppOptions } from './http-app.ts';
import { type Routes, routes } from './http-app.ts';

export interface Metrics {
  readonly onAnswered: NonNullable<HttpAppOptions['onAnswered']>;
  readonly onRunEvent: (event: RunEvent) => void;
  /** `new`, `joined`, `hit` or `rejected`, for every request that passed the schema. */
  readonly onRequest: (outcome: string) => void;
  /** `GET /metrics`. */
  readonly routes: Routes;
}

/**
 * Prometheus metrics of one service. Endpoint labels are route templates, never paths: a label per request hash would grow for
 * ever. The queue is looked at when it is scraped.
 */
export function prometheusMetrics(service: string, positions?: QueuePositions): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const requests = new Counter({
    name: 'http_requests_total',
    help: 'Requests answered.',
    labelNames: ['method', 'endpoint', 'status_code', 'service'],
    registers,
  });
  const seconds = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time to the beginning of the answer.',
    labelNames: ['method', 'endpoint', 'service'],
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5],
    registers,
  });
  const submitted = new Counter({
    name: 'asu_requests_total',
    help: 'Build requests by what they met.',
    labelNames: ['outcome'],
    registers,
  });
  const builds = new Counter({ name: 'asu_builds_total', help: 'Ends of attempts.', labelNames: ['outcome'], registers });
  const steps = new Histogram({
    name: 'asu_build_step_duration_seconds',
    help: 'Time of each step of finished builds.',
    labelNames: ['step'],
    buckets: [0.1, 0.5, 1, 5, 10, 30, 60, 120, 300, 600],
    registers,
  });
  if (positions !== undefined) {
    new Gauge({
      name: 'asu_queue_length',
      help: 'Builds waiting.',
      registers,
      collect: async function () {
        this.set(await positions.waiting());
      },
    });
    new Gauge({
      name: 'asu_builds_running',
      help: 'Builds being built.',
      registers,
      collect: async function () {
        this.set(await positions.running());
      },
    });
  }
  return {
    onAnswered: ({ method, route, status, milliseconds }) => {
      requests.inc({ method, endpoint: route, status_code: status, service });
      seconds.observe({ method, endpoint: route, service }, milliseconds / 1000);
    },
    onRequest: (outcome) => submitted.inc({ outcome }),
    onRunEvent: (event) => {
      if (event.type === 'done') for (const [step, ms] of Object.entries(event.output.durations)) steps.observe({ step }, ms / 1000);
      if (ENDS.has(event.type)) builds.inc({ outcome: event.type });
    },
    routes: routes().get(
      '/metrics',
      async () =>
        new Response(await registry.metrics(), { headers: { 'Content-Type': registry.contentType, 'Cache-Control': 'no-store' } }),
    ),
  };
}

const ENDS = new Set<RunEvent['type']>(['done', 'failed', 'retrying', 'handed-back', 'lost']);
