import { expect, it } from 'vitest';
import { openSqlite } from '#adapters/sqlite/open-sqlite.ts';
import { sqliteQueuePositions } from '#adapters/sqlite/queue-positions.ts';
import { prometheusMetrics } from '#observe/metrics.ts';
import { metricsRoutes } from './metrics-routes.ts';

it('are served without those of a queue that cannot be read', async () => {
  const db = openSqlite(':memory:');
  const routes = metricsRoutes(prometheusMetrics('build', sqliteQueuePositions(db)));
  const text = async () => (await routes.request('/metrics')).text();
  const ofQueue = /^asu_(queue_length|queue_oldest_seconds|builds_running) 0$/gm;
  expect((await text()).match(ofQueue)).toHaveLength(3);
  db.close();
  const without = await text();
  expect(without).not.toMatch(ofQueue);
  expect(without).toMatch(/^asu_unexpected_errors_total\{service="build"\} 0$/m);
});
