import type { Composition } from '#functions/composition.ts';
import { assertReady, type Checks, withoutDetails } from '#http/checks.ts';
import { healthRoutes } from '#http/health.ts';
import { httpApp } from '#http/http-app.ts';
import { metricsRoutes } from '#http/metrics-routes.ts';
import { serveNode } from '#http/serve-node.ts';
import type { Log } from '#observe/log.ts';
import type { Metrics } from '#observe/metrics.ts';
import { VERSION } from '#settings/version.ts';
import type { ServerSettings } from './server-settings.ts';

/** A running service. */
export interface Service {
  readonly url: string;
  /** Settles when the service has ended without being stopped. */
  readonly ended?: Promise<void>;
  /** Takes no further request, lets those in progress end, and settles when the service has let go of everything. */
  close(): Promise<void>;
}

export interface ServiceParts {
  readonly log: Log;
  readonly metrics: Metrics;
  /** What `/ready` says besides. */
  readonly facts?: () => Readonly<Record<string, unknown>>;
}

/** The interval at which counts of requests are written; `kill -9` loses later ones. Builds are counted at once. */
const FLUSH_EVERY_MS = 5_000;

/**
 * Checks what the functions cannot do without, then serves their routes, with health, readiness and metrics beside
 * them. Rejects when something is missing, or when two functions have a check of one name.
 */
export async function startService(
  { HOST, PORT, SERVICE_NAME }: ServerSettings,
  { log, metrics, facts }: ServiceParts,
  ...functions: readonly Composition[]
): Promise<Service> {
  const needed = functions.map(({ checks }) => checks);
  const all = merged([...needed, ...functions.map(({ readyChecks }) => readyChecks)]);
  const sources = withoutDetails(merged(functions.map((one) => one.sources)), log);
  await assertReady(merged(needed));
  const checks = withoutDetails(all, log);
  const about = { service: SERVICE_NAME, version: VERSION, now: () => new Date() };
  const health = healthRoutes({ ...about, checks, sources, ...(facts && { facts }) });
  const routes = functions.flatMap((one) => one.routes);
  const app = httpApp({ log, onAnswered: metrics.onAnswered }, ...routes, metricsRoutes(metrics), health);
  const server = await serveNode(app, { host: HOST, port: PORT });
  const flush = () => Promise.all(functions.map((one) => one.flush?.()));
  const flushing = setInterval(() => void flush(), FLUSH_EVERY_MS);
  log.info('server listening', { url: server.url });
  return {
    url: server.url,
    close: async () => {
      await server.close();
      clearInterval(flushing);
      await flush();
      log.info('server stopped');
    },
  };
}

/** Returns all checks by name. Two functions of a service that check different things by one name are a mistake in it. */
function merged(parts: readonly (Checks | undefined)[]): Checks {
  const all = parts.flatMap((checks) => Object.entries(checks ?? {}));
  const names = all.map(([name]) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new Error(`two functions of this service have a check with the name ${twice}`);
  return Object.fromEntries(all);
}
