import { Hono, type MiddlewareHandler } from 'hono';
import { AsuError } from '#core/errors.ts';
import { CORRELATION_ID, correlationIdOf } from './correlation-id.ts';
import { CORS_HEADERS, PREFLIGHT_HEADERS } from './cors.ts';
import { errorResponse, problem } from './error-response.ts';
import type { Log } from './log.ts';
import { redirect } from './redirect.ts';

/** What every route handler finds in its context. */
export interface HttpEnv {
  Variables: { correlationId: string };
}

/** A function's routes, to be mounted by a way of running. */
export type Routes = Hono<HttpEnv>;

export const routes = (): Routes => new Hono<HttpEnv>();

export interface HttpAppOptions {
  readonly log: Log;
  /** Called once per answered request with the route's template (never the raw path), for metrics. */
  readonly onAnswered?: (answered: { method: string; route: string; status: number; milliseconds: number }) => void;
}

const METHODS = ['GET', 'HEAD', 'POST', 'DELETE', 'PUT', 'PATCH'] as const;

/**
 * One HTTP application out of functions' routes: correlation id, CORS on every answer, errors in one shape, preflight,
 * HEAD wherever GET is, `//x` and `x/` as the reference server treats them, 404 and 405 as JSON.
 */
export function httpApp({ log, onAnswered }: HttpAppOptions, ...parts: readonly Routes[]): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  app.use(async (c, next) => {
    const started = performance.now();
    const correlationId = correlationIdOf(c.req.header(CORRELATION_ID));
    c.set('correlationId', correlationId);
    await next();
    const { headers } = c.res;
    for (const name in CORS_HEADERS) headers.set(name, CORS_HEADERS[name] as string);
    headers.set(CORRELATION_ID, correlationId);
    const milliseconds = performance.now() - started;
    const { method } = c.req;
    log.debug('request completed', {
      method,
      path: c.req.path,
      status: c.res.status,
      duration_ms: milliseconds,
      correlation_id: correlationId,
    });
    onAnswered?.({ method, route: routeOf(c.req.matchedRoutes), status: c.res.status, milliseconds });
  });
  app.use(preflight);
  app.use(doubledSlash((request, env) => app.fetch(request, env)));
  for (const part of parts) app.route('/', part);

  app.onError((error, c) => {
    if (!(error instanceof AsuError))
      log.error('request failed', { error, method: c.req.method, path: c.req.path, correlation_id: c.get('correlationId') });
    return errorResponse(error);
  });
  app.notFound((c) => {
    const { path, url } = c.req;
    const allowed = methodsOf(app, path);
    if (allowed.length > 0)
      return problem(
        { status: 405, title: 'Method Not Allowed', detail: `Method Not Allowed: ${c.req.method} ${path}; allowed: ${allowed.join(', ')}` },
        { Allow: allowed.join(', ') },
      );
    const plain = path.replace(/\/+$/, '');
    if (plain !== path && plain !== '' && methodsOf(app, plain).length > 0) return redirect(307, plain + new URL(url).search);
    return problem({ status: 404, title: 'Not Found', detail: `Not Found: there is nothing at ${shown(path)}` });
  });
  return app;
}

const preflight: MiddlewareHandler<HttpEnv> = async (c, next) => {
  if (c.req.method !== 'OPTIONS') return next();
  return new Response(null, { status: 204, headers: PREFLIGHT_HEADERS });
};

/**
 * `//x`, from clients configured with a trailing slash: a redirect with the query kept for GET and HEAD; anything else is
 * answered in place, since a redirected POST would lose its body (CONTRACT.md §0.17).
 */
const doubledSlash =
  (fetch: (request: Request, env: object) => Response | Promise<Response>): MiddlewareHandler<HttpEnv> =>
  async (c, next) => {
    if (!c.req.path.startsWith('//') || !METHODS.some((method) => method === c.req.method)) return next();
    const url = new URL(c.req.url);
    const location = `/${url.pathname.replace(/^\/+/, '')}`;
    if (c.req.method === 'GET' || c.req.method === 'HEAD') return redirect(301, location + url.search);
    url.pathname = location;
    const { method, headers, body } = c.req.raw;
    return fetch(new Request(url, { method, headers, body, duplex: 'half' } as RequestInit), c.env as object);
  };

/** Methods some route (not a middleware) answers at the path. */
function methodsOf(app: Hono<HttpEnv>, path: string): string[] {
  const found = METHODS.filter((method) => app.router.match(method, path)[0].some(([[, route]]) => route.method !== 'ALL'));
  return found.includes('GET') && !found.includes('HEAD') ? ['GET', 'HEAD', ...found.filter((method) => method !== 'GET')] : found;
}

const routeOf = (matched: readonly { path: string; method: string }[]): string =>
  matched.findLast(({ method }) => method !== 'ALL')?.path ?? 'unmatched';

const shown = (path: string) => (path.length > 200 ? `${path.slice(0, 200)}…` : path);
