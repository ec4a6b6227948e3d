import type { Context } from 'hono';
import type { ClientKey } from '#core/build/ports.ts';
import { BrokenBodyError, ClientGoneError, isBrokenOff } from '#http/broken-request.ts';
import { type HttpEnv, type Routes, routes } from '#http/http-app.ts';
import { BodyTooLargeError } from '#http/json-body.ts';
import { type ClientAddress, subscriberOf } from '#http/rate-limit/client-address.ts';
import { addressOf } from '#http/rate-limit/client-keys.ts';
import { type Rate, tokenBuckets } from '#http/rate-limit/token-buckets.ts';
import { TooManyRequestsError } from '#http/rate-limit/too-many-requests-error.ts';
import type { ServiceUrls } from './ask-services.ts';
import { NoSuchServiceError, ServiceTimeoutError, ServiceUnreachableError } from './errors.ts';
import { forward } from './forward.ts';
import { limitedBuilds } from './limited-builds.ts';
import { requestHeaders } from './passed-headers.ts';
import { GATEWAY_ROUTES, type GatewayRoute, type GatewayService } from './routes.ts';

export interface GatewayAppDeps {
  readonly services: ServiceUrls;
  readonly clientAddress: ClientAddress;
  readonly maxBodyBytes: number;
  /** The number of builds that one client may have waiting or running while others wait; 0: any number. */
  readonly maxPendingPerClient: number;
  readonly clientKey: (address: string) => ClientKey;
  /** New builds per client; absent: any number. */
  readonly builds?: Rate | undefined;
  /** Other requests per client; absent: any number. */
  readonly others?: Rate | undefined;
  /** Called for each request that a service could not answer. */
  readonly onError?: (service: string, error: unknown, correlationId: string) => void;
}

/** The time that a request waits for the first service if another one can stand in. */
const STAND_IN_AFTER_MS = 3_000;
/** The statuses of a service that cannot answer, or of a proxy that cannot reach it. */
const GONE = new Set([502, 503, 504]);
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

/**
 * One public origin for all services: each request goes to the service of its path, and the answer goes back as it is.
 */
export function gatewayApp(deps: GatewayAppDeps): Routes {
  const others = deps.others && tokenBuckets(deps.others);
  const passBuild = limitedBuilds(deps, others);
  const app = routes();
  for (const route of GATEWAY_ROUTES)
    app.on(METHODS, [...route.paths], async (c) => {
      const address = addressOf(c, deps.clientAddress);
      if (passBuild !== undefined && c.req.method === 'POST' && c.req.path === '/api/v1/build')
        return passBuild.submit(c, address, (body) => passOn(deps, route, c, address, body));
      if (!(c.req.method === 'POST' && c.req.path === '/api/v1/build')) {
        const token = others?.take(subscriberOf(address));
        if (token?.taken === false) throw new TooManyRequestsError('requests', token.retryAfterSeconds);
      }
      const response = await passOn(deps, route, c, address, c.req.raw.body);
      const [, hash] = BUILD_PATH.exec(c.req.path) ?? [];
      if (hash !== undefined) passBuild?.learn(hash, response);
      return response;
    });
  return app;
}

const BUILD_PATH = /^\/api\/v1\/build\/([0-9a-f]{64})$/;

async function passOn(
  deps: GatewayAppDeps,
  route: GatewayRoute,
  c: Context<HttpEnv>,
  address: string,
  body: ReadableStream<Uint8Array> | null,
): Promise<Response> {
  const { method, raw } = c.req;
  if (Number(c.req.header('Content-Length') ?? 0) > deps.maxBodyBytes) throw new BodyTooLargeError(deps.maxBodyBytes);
  const correlationId = c.get('correlationId');
  const { pathname, search } = new URL(c.req.url);
  // `/store/%2e%2e/metrics` is below `/store/` for the router, and `/metrics` for a service that resolves the dots.
  if (!route.paths.some((path) => isAt(path, pathname))) return c.notFound() as Response;
  const forwarding = {
    method,
    path: pathname + search,
    headers: requestHeaders(raw.headers, { address, host: c.req.header('Host'), correlationId }),
    body,
    maxBodyBytes: deps.maxBodyBytes,
    signal: raw.signal,
  };
  const ask = async (service: GatewayService, timeoutMs: number) => {
    const url = deps.services[service];
    if (url === undefined) throw new NoSuchServiceError(service);
    try {
      return await forward({ name: service, url }, { ...forwarding, timeoutMs });
    } catch (error) {
      // A fault of the client is not a fault of the service.
      if (error instanceof BodyTooLargeError) throw error;
      if (isBrokenOff(c)) throw new BrokenBodyError({ cause: error });
      if (raw.signal.aborted) throw new ClientGoneError({ cause: error });
      deps.onError?.(service, error, correlationId);
      throw error;
    }
  };
  const canStandIn = route.standIn !== undefined && deps.services[route.standIn] !== undefined && (method === 'GET' || method === 'HEAD');
  if (route.standIn === undefined || !canStandIn) return ask(route.service, route.timeoutMs);
  const begunAt = performance.now();
  const first = await ask(route.service, STAND_IN_AFTER_MS).catch((error: unknown) => {
    if (!isMissing(error)) throw error;
    return undefined;
  });
  // The stand-in has the same stores, and would wait for them once more.
  if (first !== undefined && (!GONE.has(first.status) || isItsOwn(first, correlationId))) return first;
  await first?.body?.cancel();
  return ask(route.standIn, route.timeoutMs - (performance.now() - begunAt));
}

/** Whether the service itself has answered, and no proxy in front of it: each service repeats the correlation id. */
const isItsOwn = ({ headers }: Response, correlationId: string): boolean => headers.get('X-Correlation-Id') === correlationId;

const isAt = (pattern: string, path: string) => (pattern.endsWith('/*') ? path.startsWith(pattern.slice(0, -1)) : path === pattern);

const isMissing = (error: unknown) =>
  error instanceof ServiceUnreachableError || error instanceof ServiceTimeoutError || error instanceof NoSuchServiceError;
