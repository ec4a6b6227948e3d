import type { Clock, Monotonic } from '#core/stores.ts';
import { withTimeout } from '#lib/with-timeout.ts';
import { type Routes, routes } from './http-app.ts';
import { jsonResponse } from './json-response.ts';

export interface HealthOptions {
  readonly service: string;
  readonly version: string;
  readonly now: Clock;
  /** Default: the clock of this process. */
  readonly monotonic?: Monotonic;
  /**
   * The dependencies of the service by name. A check resolves when its dependency works and rejects with what is wrong.
   */
  readonly checks: Readonly<Record<string, () => Promise<unknown>>>;
  /** What `/ready` says besides; it makes the service neither more nor less ready. */
  readonly facts?: () => Readonly<Record<string, unknown>>;
}

/** The outcome of the checks is repeated for this long before they run again. */
const REPEATED_MS = 30_000;
/** A dependency that does not answer within this time counts as missing. */
const PATIENCE_MS = 5_000;

/**
 * Routes of the probes: `/health` says that the process answers, `/ready` that its dependencies work. They are checked
 * every 30 s at most.
 */
export function healthRoutes({ service, version, now, checks, facts, monotonic = () => performance.now() }: HealthOptions): Routes {
  let last: { at: number; outcome: Promise<Readonly<Record<string, string>>> } | undefined;
  const lookAtAll = async () =>
    Object.fromEntries(await Promise.all(Object.entries(checks).map(async ([name, check]) => [name, await lookAt(check)] as const)));
  return routes()
    .get('/health', () => fresh(200, { service, status: 'ok', version, timestamp: now().toISOString() }))
    .get('/ready', async () => {
      if (last === undefined || monotonic() - last.at > REPEATED_MS) last = { at: monotonic(), outcome: lookAtAll() };
      const outcome = await last.outcome;
      const isReady = Object.values(outcome).every((state) => state === 'ok');
      const body = { service, version, checks: outcome, ...facts?.(), timestamp: now().toISOString() };
      if (isReady) return fresh(200, { ...body, status: 'ready' });
      const missing = Object.keys(outcome).filter((name) => outcome[name] !== 'ok');
      return fresh(503, { ...body, status: 503, title: 'Service Unavailable', detail: `Service Unavailable: ${missing.join(', ')}` });
    });
}

const fresh = (status: number, body: object): Response => jsonResponse(status, JSON.stringify(body), { 'Cache-Control': 'no-store' });

async function lookAt(check: () => Promise<unknown>): Promise<string> {
  try {
    await withTimeout(PATIENCE_MS, check());
    return 'ok';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
