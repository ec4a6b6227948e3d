import { Hono, type MiddlewareHandler } from 'hono';
import { AsuError } from '#core/errors.ts';
import { type Answered, accessLog, shown } from './access-log.ts';
import { CORRELATION_ID, correlationIdOf } from './correlation-id.ts';
import { CORS_HEADERS, PREFLIGHT_HEADERS } from './cors.ts';
import { errorResponse, problem } from './error-response.ts';
import type { Log, LogFields } from './log.ts';
import { redirect } from './redirect.ts';
import { routeTemplate } from './route-template.ts';

/** What every route handler finds in its context. */
export interface HttpEnv {
  Variables: {
    correlationId: string;
    /** What a handler wants the request's line in the log to say besides, such as the build it was about. */
    logFields?: LogFields;
  };
}

/** A function's routes, to be mounted by a way of running. */
export type Routes = Hono<HttpEnv>;

export const routes = (): Routes => new Hono<HttpEnv>();

export interface HttpAppOptions {
  readonly log: Log;
  /** Called once per answered request with the route's template (never the raw path), for metrics. */
  readonly onAnswered?: (answered: Answered) => void;
}

const METHODS = ['GET', 'HEAD', 'POST', 'DELETE', 'PUT', 'PATCH'] as const;

/**
 * One HTTP application out of functions' routes: correlation id, CORS on every answer, errors in one shape, preflight,
 * HEAD wherever GET is, `//x` and `x/` as the reference server treats them, 404 and 405 as JSON.
 */
export function httpApp({ log, onAnswered }: HttpAppOptions, ...parts: readonly Routes[]): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  const access = accessLog(log);
  app.use(doubledSlashInPlace((request, env) => app.fetch(request, env)));
  app.use(async (c, next) => {
    const started = performance.now();
    const correlationId = correlationIdOf(c.req.header(CORRELATION_ID));
    const userAgent = c.req.header('User-Agent');
    const { method, path } = c.req;
    const route = routeTemplate(c.req.matchedRoutes);
    c.set('correlationId', correlationId);
    access.started({ method, route, path, userAgent, correlationId });
    await next();
    const { headers, status } = c.res;
    for (const name in CORS_HEADERS) headers.set(name, CORS_HEADERS[name] as string);
    headers.set(CORRELATION_ID, correlationId);
    const isBug = c.error !== undefined && !(c.error instanceof AsuError);
    const answered = { method, route, status, milliseconds: performance.now() - started, correlationId, isBug };
    access.completed(answered, userAgent, c.get('logFields'));
    onAnswered?.(answered);
  });
  app.use(preflight);
  app.use(doubledSlashRedirect);
  for (const part of parts) app.route('/', part);

  app.onError((error, c) => {
    if (!(error instanceof AsuError))
      log.error('request failed', { error, method: c.req.method, path: shown(c.req.path), correlation_id: c.get('correlationId') });
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
 * `//x`, from clients configured with a trailing slash: answered in place, since a redirected POST would lose its body (CONTRACT.md
 * §0.17). Before anything else: it is one request, and counted and logged as one.
 */
const doubledSlashInPlace =
  (fetch: (request: Request, env: object) => Response | Promise<Response>): MiddlewareHandler<HttpEnv> =>
  async (c, next) => {
    const { method, headers, body } = c.req.raw;
    if (!c.req.path.startsWith('//') || READS.has(method) || !METHODS.some((known) => known === method)) return next();
    const url = new URL(c.req.url);
    url.pathname = withoutDoubledSlash(url.pathname);
    return fetch(new Request(url, { method, headers, body, duplex: 'half' } as RequestInit), c.env as object);
  };

/** GET and HEAD of `//x`: a redirect with the query kept. */
const doubledSlashRedirect: MiddlewareHandler<HttpEnv> = async (c, next) => {
  if (!c.req.path.startsWith('//') || !READS.has(c.req.method)) return next();
  const url = new URL(c.req.url);
  return redirect(301, withoutDoubledSlash(url.pathname) + url.search);
};

const READS = new Set(['GET', 'HEAD']);

const withoutDoubledSlash = (path: string) => `/${path.replace(/^\/+/, '')}`;

/** Methods some route (not a middleware) answers at the path. */
function methodsOf(app: Hono<HttpEnv>, path: string): string[] {
  const found = METHODS.filter((method) => app.router.match(method, path)[0].some(([[, route]]) => route.method !== 'ALL'));
  return found.includes('GET') && !found.includes('HEAD') ? ['GET', 'HEAD', ...found.filter((method) => method !== 'GET')] : found;
}
