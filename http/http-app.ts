import { Hono } from 'hono';
import { AsuError, StoreUnavailableError } from '#core/errors.ts';
import { withoutTrailingSlashes } from '#lib/without-trailing-slashes.ts';
import type { Answered } from '#observe/answered.ts';
import type { Log, LogFields } from '#observe/log.ts';
import { accessLog, shown, shownPath } from './access-log.ts';
import { CORRELATION_ID, correlationIdOf } from './correlation-id.ts';
import { CORS_HEADERS, PREFLIGHT_HEADERS } from './cors.ts';
import { errorResponse, problem } from './error-response.ts';
import { withHeaders } from './json-response.ts';
import { redirect } from './redirect.ts';
import { refusalOf } from './refusal.ts';
import { routeTemplate } from './route-template.ts';

/** The variables in the context of every route handler. */
export interface HttpEnv {
  Variables: {
    correlationId: string;
    /** Further fields for the request's line in the log, such as the build that it was about. */
    logFields?: LogFields;
  };
}

/** The routes of a function, which a composition root mounts. */
export type Routes = Hono<HttpEnv>;

export const routes = (): Routes => new Hono<HttpEnv>();

export interface HttpAppOptions {
  readonly log: Log;
  /** Called once for each answered request with the route's template, never the raw path; for metrics. */
  readonly onAnswered?: (answered: Answered) => void;
}

const METHODS = ['GET', 'HEAD', 'POST', 'DELETE', 'PUT', 'PATCH'] as const;

/**
 * Returns one HTTP application made of functions' routes. It adds correlation id, CORS on every answer, errors in one
 * shape, preflight, HEAD wherever GET works, the reference server's treatment of `//x` and `x/`, and 404 and 405 as
 * JSON.
 */
export function httpApp({ log, onAnswered }: HttpAppOptions, ...parts: readonly Routes[]): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  const access = accessLog(log);
  app.use(async (c, next) => {
    const started = performance.now();
    const { method, path } = c.req;
    if (path.startsWith('//') && BODIED.has(method)) return app.fetch(withoutDoubledSlash(c.req.raw), c.env);
    const correlationId = correlationIdOf(c.req.header(CORRELATION_ID));
    const route = routeTemplate(c.req.matchedRoutes);
    c.set('correlationId', correlationId);
    access.started(c.req, route, correlationId);
    await next();
    const { status } = c.res;
    const answer = withHeaders(c.res, { ...CORS_HEADERS, [CORRELATION_ID]: correlationId });
    if (answer !== c.res) {
      // Without this, Hono would read the headers of the old answer and copy them to the new one.
      c.res = undefined;
      c.res = answer;
    }
    const isBug = c.error !== undefined && isFault(c.error);
    const refusal = refusalOf(c.error);
    const answered = {
      ...{ method, route, status, milliseconds: performance.now() - started, correlationId, isBug },
      ...(refusal && { refusal }),
    };
    access.completed(c.req, answered, c.get('logFields'));
    onAnswered?.(answered);
    return undefined;
  });
  app.use((c, next) => {
    const { method, path } = c.req;
    if (method === 'OPTIONS') return Promise.resolve(new Response(null, { status: 204, headers: PREFLIGHT_HEADERS }));
    if (!path.startsWith('//') || (method !== 'GET' && method !== 'HEAD')) return next();
    const { pathname, search } = new URL(c.req.url);
    return Promise.resolve(redirect(301, plainPath(pathname) + search));
  });
  for (const part of parts) app.route('/', part);

  app.onError((error, c) => {
    if (isFault(error))
      log.error('request failed', { error, method: c.req.method, path: shownPath(c.req.path), correlation_id: c.get('correlationId') });
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
    const plain = withoutTrailingSlashes(path);
    if (plain !== path && plain !== '' && methodsOf(app, plain).length > 0) return redirect(307, plain + new URL(url).search);
    return problem({ status: 404, title: 'Not Found', detail: `Not Found: there is nothing at ${shown(path)}` });
  });
  return app;
}

/** Whether the error is a fault of the server, which its operator has to know of: a bug, or a store that is gone. */
const isFault = (error: Error): boolean => !(error instanceof AsuError) || error instanceof StoreUnavailableError;

/**
 * Returns the request for `/x` where a client that is configured with a trailing slash asks for `//x`. GET and HEAD are
 * redirected and keep their query. Other methods are answered in place, since a redirected POST would lose its body
 * (docs/contract.md §10.17). It is one request, counted and logged once.
 */
function withoutDoubledSlash({ url: given, method, headers, body }: Request): Request {
  const url = new URL(given);
  url.pathname = plainPath(url.pathname);
  return new Request(url, { method, headers, body, duplex: 'half' } as RequestInit);
}

const BODIED: ReadonlySet<string> = new Set(['POST', 'DELETE', 'PUT', 'PATCH']);

const plainPath = (path: string) => `/${path.replace(/^\/+/, '')}`;

/** Returns the methods that a route (not a middleware) answers at the path. */
function methodsOf(app: Hono<HttpEnv>, path: string): string[] {
  const found = METHODS.filter((method) => app.router.match(method, path)[0].some(([[, route]]) => route.method !== 'ALL'));
  return found.includes('GET') && !found.includes('HEAD') ? ['GET', 'HEAD', ...found.filter((method) => method !== 'GET')] : found;
}
