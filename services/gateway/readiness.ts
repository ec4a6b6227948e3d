import type { Clock } from '#core/stores.ts';
import { cachedValue } from '#functions/stats/cached-value.ts';
import { type Routes, routes } from '#http/http-app.ts';
import { jsonResponse } from '#http/json-response.ts';
import type { Target } from './forward.ts';

/** The time for which the gateway remembers the states of the services. */
const MAX_AGE_MS = 30_000;
const PATIENCE_MS = 5_000;

export interface ReadinessOptions {
  readonly targets: readonly Target[];
  readonly version: string;
  readonly now: Clock;
  /** Called when a service cannot be reached. The answer does not say why, since the reason names its address. */
  readonly onError: (service: string, error: unknown) => void;
}

/**
 * Returns the handler of the gateway's `/ready`, which has the state of each service by name. One service that is down
 * only makes the gateway `degraded`, since otherwise a load balancer would remove the whole gateway because of it. The
 * gateway is not ready only if no service answers.
 */
export function readinessRoutes({ targets, version, now, onError }: ReadinessOptions): Routes {
  const states = cachedValue(
    async () =>
      Object.fromEntries(await Promise.all(targets.map(async (target) => [target.name, await stateOf(target, onError)] as const))),
    MAX_AGE_MS,
  );
  return routes().get('/ready', async () => {
    const checks = await states();
    const missing = Object.keys(checks).filter((name) => checks[name] !== 'ok');
    const body = { service: 'gateway', version, checks, timestamp: now().toISOString() };
    if (missing.length < targets.length) return fresh(200, { ...body, status: missing.length === 0 ? 'ready' : 'degraded' });
    return fresh(503, { ...body, status: 503, title: 'Service Unavailable', detail: `Service Unavailable: ${missing.join(', ')}` });
  });
}

async function stateOf({ name, url }: Target, onError: ReadinessOptions['onError']): Promise<string> {
  try {
    const response = await fetch(`${url}/health`, { signal: AbortSignal.timeout(PATIENCE_MS), redirect: 'error' });
    await response.body?.cancel();
    return response.ok ? 'ok' : `answers ${response.status}`;
  } catch (error) {
    onError(name, error);
    return 'cannot be reached';
  }
}

const fresh = (status: number, body: object) => jsonResponse(status, JSON.stringify(body), { 'Cache-Control': 'no-store' });
