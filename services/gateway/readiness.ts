import type { Clock } from '#core/stores.ts';
import { cachedValue } from '#functions/stats/cached-value.ts';
import { type Routes, routes } from '#http/http-app.ts';
import { jsonResponse } from '#http/json-response.ts';
import type { Target } from './forward.ts';

/** How long what is known of a service's health is repeated. */
const KEPT_MS = 30_000;
const PATIENCE_MS = 5_000;

export interface ReadinessOptions {
  readonly targets: readonly Target[];
  readonly version: string;
  readonly now: Clock;
}

/**
 * `/ready` of the gateway: the services by name. One that is down makes it `degraded` and no more, or a load balancer would take
 * everything away for one service's sake; only when none answers is the gateway not ready.
 */
export function readinessRoutes({ targets, version, now }: ReadinessOptions): Routes {
  const states = cachedValue(
    async () => Object.fromEntries(await Promise.all(targets.map(async (target) => [target.name, await stateOf(target)] as const))),
    KEPT_MS,
  );
  return routes().get('/ready', async () => {
    const checks = await states();
    const missing = Object.keys(checks).filter((name) => checks[name] !== 'ok');
    const body = { service: 'gateway', version, checks, timestamp: now().toISOString() };
    if (missing.length < targets.length) return fresh(200, { ...body, status: missing.length === 0 ? 'ready' : 'degraded' });
    return fresh(503, { ...body, status: 503, title: 'Service Unavailable', detail: `Service Unavailable: ${missing.join(', ')}` });
  });
}

async function stateOf({ url }: Target): Promise<string> {
  try {
    const response = await fetch(`${url}/health`, { signal: AbortSignal.timeout(PATIENCE_MS), redirect: 'error' });
    await response.body?.cancel();
    return response.ok ? 'ok' : `answers ${response.status}`;
  } catch (error) {
    return error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
  }
}

const fresh = (status: number, body: object) => jsonResponse(status, JSON.stringify(body), { 'Cache-Control': 'no-store' });
