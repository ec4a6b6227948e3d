import type { Metrics } from '#observe/metrics.ts';
import { type Routes, routes } from './http-app.ts';

/** Returns the route `GET /metrics`: the metrics of the process in Prometheus' text format. */
export const metricsRoutes = ({ exposition }: Pick<Metrics, 'exposition'>): Routes =>
  routes().get('/metrics', async () => {
    const { text, contentType } = await exposition();
    return new Response(text, { headers: { 'Content-Type': contentType, 'Cache-Control': 'no-store' } });
  });
