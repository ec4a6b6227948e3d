import { healthRoutes } from '#http/health.ts';
import { httpApp, type Routes } from '#http/http-app.ts';
import type { Log } from '#http/log.ts';
import type { Metrics } from '#http/metrics.ts';
import { serveNode } from '#http/serve-node.ts';
import { VERSION } from '#standalone/version.ts';
import type { ServerSettings } from './server-settings.ts';

/** A service that runs. */
export interface Service {
  readonly url: string;
  /** Settles when it has ended by itself. */
  readonly ended?: Promise<void>;
  /** Takes no further request, lets those under way end, and settles when nothing of the service is left. */
  close(): Promise<void>;
}

export interface ServiceParts {
  readonly log: Log;
  /** What `/metrics` tells. */
  readonly metrics: Metrics;
  readonly routes: readonly Routes[];
  /** What `/ready` looks at. */
  readonly checks: Readonly<Record<string, () => Promise<unknown>>>;
  /** What `/ready` tells besides. */
  readonly facts?: () => Readonly<Record<string, unknown>>;
  /** Called after the last answer. */
  readonly close?: () => Promise<void>;
}

/** Serves a function's routes with health, readiness and metrics of its own. */
export async function startService({ HOST, PORT, SERVICE_NAME }: ServerSettings, parts: ServiceParts): Promise<Service> {
  const { log, metrics } = parts;
  const health = healthRoutes({
    service: SERVICE_NAME,
    version: VERSION,
    now: () => new Date(),
    checks: parts.checks,
    ...(parts.facts && { facts: parts.facts }),
  });
  const app = httpApp({ log, onAnswered: metrics.onAnswered }, ...parts.routes, metrics.routes, health);
  const server = await serveNode(app, { host: HOST, port: PORT });
  log.info('server listening', { url: server.url });
  return {
    url: server.url,
    close: async () => {
      await server.close();
      await parts.close?.();
      log.info('server stopped');
    },
  };
}
