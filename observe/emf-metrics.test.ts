import { expect, it } from 'vitest';
import type { RunEvent } from '#core/build/run-event.ts';
import { emfMetrics } from './emf-metrics.ts';
import type { MetricEvents } from './metric-events.ts';
import { prometheusMetrics } from './metrics.ts';

interface Line extends Record<string, unknown> {
  readonly _aws: {
    readonly Timestamp: number;
    readonly CloudWatchMetrics: readonly {
      readonly Namespace: string;
      readonly Dimensions: readonly (readonly string[])[];
      readonly Metrics: readonly { readonly Name: string; readonly Unit: string }[];
    }[];
  };
}

const build = { hash: 'h', attempt: 1, enqueuedAt: '2026-11-01T00:00:00.000Z', startedAt: '2026-11-01T00:00:05.000Z' };
const done = {
  type: 'done',
  build: { ...build, finishedAt: '2026-11-01T00:01:05.000Z' },
  output: { durations: { building_image: 50_000 } },
  seconds: 60,
};

/** Everything that happens, once. */
function happen(metrics: MetricEvents): void {
  const answered = { method: 'GET', route: '/thing/:id', status: 200, milliseconds: 12, correlationId: 'c-1', isBug: false };
  metrics.onAnswered(answered);
  metrics.onAnswered({ ...answered, method: 'PROPFIND', status: 500, isBug: true });
  metrics.onRequest('hit');
  metrics.onUpstream('found', 0.25);
  for (const event of [
    { type: 'started', build },
    done,
    { type: 'failed', build: { cached: false } },
    { type: 'failed', build: { cached: true } },
    { type: 'step', build },
  ])
    metrics.onRunEvent(event as unknown as RunEvent);
}

const linesOf = (service: string): Line[] => {
  const lines: Line[] = [];
  happen(emfMetrics({ service, namespace: 'asu-test', write: (line) => lines.push(JSON.parse(line)) }));
  return lines;
};

it('every metric has a value, and every dimension one that is text, in its line', () => {
  for (const line of linesOf('prepare'))
    for (const { Namespace, Dimensions, Metrics } of line._aws.CloudWatchMetrics) {
      expect(Namespace).toBe('asu-test');
      for (const { Name } of Metrics) expect([Name, typeof line[Name]]).toEqual([Name, 'number']);
      for (const dimension of Dimensions.flat()) expect([dimension, typeof line[dimension]]).toEqual([dimension, 'string']);
    }
});

it('tells what happened', () => {
  const lines = linesOf('prepare');
  expect(lines[0]).toMatchObject({
    service: 'prepare',
    method: 'GET',
    endpoint: '/thing/:id',
    status_code: '200',
    http_requests_total: 1,
    http_request_duration_seconds: 0.012,
    asu_unexpected_errors_total: 0,
    correlation_id: 'c-1',
  });
  expect(lines[1]).toMatchObject({ method: 'other', status_code: '500', asu_unexpected_errors_total: 1 });
  const told = lines.slice(2).map(({ _aws, service, ...rest }) => rest);
  expect(told).toEqual([
    { outcome: 'hit', asu_requests_total: 1 },
    { outcome: 'found', asu_upstream_requests_total: 1, asu_upstream_request_duration_seconds: 0.25 },
    { asu_build_wait_seconds: 5 },
    { outcome: 'done', asu_builds_total: 1, asu_build_duration_seconds: 60 },
    { step: 'building_image', asu_build_step_duration_seconds: 50 },
    { outcome: 'given-up', asu_builds_total: 1 },
    { outcome: 'failed', asu_builds_total: 1 },
  ]);
});

it('tells what a sweep did, and nothing of one that did nothing', () => {
  const lines: Line[] = [];
  const { onSwept } = emfMetrics({ service: 'maintenance', namespace: 'asu-test', write: (line) => lines.push(JSON.parse(line)) });
  const nothing = { sent: 0, returned: 0, failed: 0, unpublished: 0, removed: 0, errors: [], unread: [] };
  onSwept(nothing);
  expect(lines).toEqual([]);
  onSwept({ ...nothing, returned: 2, errors: [new Error('throttled')] });
  expect(lines.map(({ _aws, ...rest }) => [_aws.CloudWatchMetrics[0]?.Dimensions, rest])).toEqual([
    [[['service', 'outcome']], { service: 'maintenance', outcome: 'returned', asu_swept_builds_total: 2 }],
    [[['service', 'outcome']], { service: 'maintenance', outcome: 'error', asu_swept_builds_total: 1 }],
  ]);
});

it('has the names and labels that Prometheus has', async () => {
  const metrics = prometheusMetrics('prepare');
  happen(metrics);
  const text = (await metrics.exposition()).text;
  for (const line of linesOf('prepare'))
    for (const { Dimensions, Metrics } of line._aws.CloudWatchMetrics) {
      const name = Metrics[0]?.Name ?? '';
      const labels = (Dimensions[0] ?? []).filter((label) => label !== 'service' || name.startsWith('http_'));
      const samples = text.split('\n').filter((sample) => new RegExp(`^${name}(_count)?[{ ]`).test(sample));
      const wanted = labels.map((label) => `${label}="${line[label]}"`);
      expect([name, wanted, samples.some((sample) => wanted.every((pair) => sample.includes(pair)))]).toEqual([name, wanted, true]);
    }
});
