import type { Clock, Monotonic } from '#core/ports.ts';
import { type Routes, routes } from './http-app.ts';
import { jsonResponse } from './json-response.ts';

export interface HealthOptions {
  readonly service: string;
  readonly version: string;
  readonly now: Clock;
  /** Default: this process's own. */
  readonly monotonic?: Monotonic;
  /** What the service needs, each by name: settles when it is there, rejects with what is wrong. */
  readonly checks: Readonly<Record<string, () => Promise<unknown>>>;
  /** What is told besides, and makes nothing more or less ready. */
  readonly facts?: () => Readonly<Record<string, unknown>>;
}

/** How long the outcome of the deep check is repeated before it is made again. */
const KEPT_MS = 30_000;
/** A dependency that does not answer for so long is not there. */
const PATIENCE_MS = 5_000;

/** `/health`: the process answers, nothing more. `/ready`: what it needs is there, looked at every 30 s at most. */
export function healthRoutes({ service, version, now, checks, facts, monotonic = () => performance.now() }: HealthOptions): Routes {
  let kept: { at: number; outcome: Promise<Readonly<Record<string, string>>> } | undefined;
  const lookAtAll = async () =>
    Object.fromEntries(await Promise.all(Object.entries(checks).map(async ([name, check]) => [name, await lookAt(check)] as const)));
  return routes()
    .get('/health', () => fresh(200, { service, status: 'ok', version, timestamp: now().toISOString() }))
    .get('/ready', async () => {
      if (kept === undefined || monotonic() - kept.at > KEPT_MS) kept = { at: monotonic(), outcome: lookAtAll() };
      const outcome = await kept.outcome;
      const isReady = Object.values(outcome).every((state) => state === 'ok');
      const body = { service, version, checks: outcome, ...facts?.(), timestamp: now().toISOString() };
      if (isReady) return fresh(200, { ...body, status: 'ready' });
      const missing = Object.keys(outcome).filter((name) => outcome[name] !== 'ok');
      return fresh(503, { ...body, status: 503, title: 'Service Unavailable', detail: `Service Unavailable: ${missing.join(', ')}` });
    });
}

const fresh = (status: number, body: object): Response => jsonResponse(status, JSON.stringify(body), { 'Cache-Control': 'no-store' });

async function lookAt(check: () => Promise<unknown>): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${PATIENCE_MS / 1000} s`)), PATIENCE_MS);
  });
  try {
    await Promise.race([check(), patience]);
    return 'ok';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    clearTimeout(timer);
  }
}
