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
  /**
   * Further checks, by name, of sources that the service has copies of. One that fails makes the service `degraded`, and
   * no less ready: without its source, it answers from its copies.
   */
  readonly sources?: HealthOptions['checks'];
  /** Further facts in the answer of `/ready`. They make the service neither more nor less ready. */
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
export function healthRoutes(options: HealthOptions): Routes {
  const { service, version, now, checks, sources = {}, facts, monotonic = () => performance.now() } = options;
  let last: { at: number; outcome: Promise<{ needed: States; copied: States }> } | undefined;
  const lookAtAll = async () => {
    const [needed, copied] = await Promise.all([statesOf(checks), statesOf(sources)]);
    return { needed, copied };
  };
  return routes()
    .get('/health', () => fresh(200, { service, status: 'ok', version, timestamp: now().toISOString() }))
    .get('/ready', async () => {
      if (last === undefined || monotonic() - last.at > REPEATED_MS) last = { at: monotonic(), outcome: lookAtAll() };
      const { needed, copied } = await last.outcome;
      const missing = notOk(needed);
      const shown = { ...needed, ...Object.fromEntries(notOk(copied).map((name) => [name, copied[name]])) };
      const body = { service, version, checks: shown, ...facts?.(), timestamp: now().toISOString() };
      if (missing.length === 0) return fresh(200, { ...body, status: notOk(copied).length === 0 ? 'ready' : 'degraded' });
      return fresh(503, { ...body, status: 503, title: 'Service Unavailable', detail: `Service Unavailable: ${missing.join(', ')}` });
    });
}

/** The answer of each check: `ok`, or what is wrong. */
type States = Readonly<Record<string, string>>;

const statesOf = async (checks: HealthOptions['checks']): Promise<States> =>
  Object.fromEntries(await Promise.all(Object.entries(checks).map(async ([name, check]) => [name, await lookAt(check)] as const)));

const notOk = (states: States): string[] => Object.keys(states).filter((name) => states[name] !== 'ok');

const fresh = (status: number, body: object): Response => jsonResponse(status, JSON.stringify(body), { 'Cache-Control': 'no-store' });

async function lookAt(check: () => Promise<unknown>): Promise<string> {
  try {
    await withTimeout(PATIENCE_MS, check());
    return 'ok';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
