import type { Context } from 'hono';
import type { ClientKey } from '#core/build/ports.ts';
import { AsuError } from '#core/errors.ts';
import { BrokenBodyError, ClientGoneError, isBrokenOff } from '#http/broken-request.ts';
import { type HttpEnv, type Routes, routes } from '#http/http-app.ts';
import { BodyTooLargeError } from '#http/json-body.ts';
import { type ClientAddress, subscriberOf } from '#http/rate-limit/client-address.ts';
import { addressOf } from '#http/rate-limit/client-keys.ts';
import { type Rate, tokenBuckets } from '#http/rate-limit/token-buckets.ts';
import { TooManyRequestsError } from '#http/rate-limit/too-many-requests-error.ts';
import { acceptedBuild } from './accepted-build.ts';
import { buildLimit } from './build-limit.ts';
import { type BuildPlace, buildPlace } from './build-place.ts';
import { clientShare } from './client-share.ts';
import { NoSuchServiceError, ServiceTimeoutError, ServiceUnreachableError } from './errors.ts';
import { forward } from './forward.ts';
import { requestHeaders } from './passed-headers.ts';
import { GATEWAY_ROUTES, type GatewayRoute, type GatewayService } from './routes.ts';

export interface GatewayAppDeps {
  readonly services: Readonly<Partial<Record<GatewayService, string>>>;
  readonly clientAddress: ClientAddress;
  readonly maxBodyBytes: number;
  /** Builds that one client may have under way while others wait; 0: any number. */
  readonly maxPendingPerClient: number;
  readonly clientKey: (address: string) => ClientKey;
  /** New builds per client; absent: as many as they like. */
  readonly builds?: Rate | undefined;
  /** Everything else per client. */
  readonly others?: Rate | undefined;
  /** Told of each request that a service could not answer. */
  readonly onError?: (service: string, error: unknown, correlationId: string) => void;
}

/** Where a stand-in is at hand, nobody waits longer for the first. */
const STAND_IN_AFTER_MS = 3_000;
/** What says of the service that it cannot answer, and nothing of the request. */
const GONE = new Set([502, 503, 504]);
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** One public origin for all services: what comes in by prefix goes to its service, and what that answers goes back as it is. */
export function gatewayApp(deps: GatewayAppDeps): Routes {
  const limitBuilds = deps.builds && buildLimit(deps.builds);
  const others = deps.others && tokenBuckets(deps.others);
  const share =
    deps.maxPendingPerClient === 0
      ? undefined
      : clientShare({ maxPending: deps.maxPendingPerClient, look: (hash) => lookAt(deps.services, hash) });
  const app = routes();
  for (const route of GATEWAY_ROUTES)
    app.on(METHODS, [...route.paths], async (c) => {
      const address = addressOf(c, deps.clientAddress);
      const pass = () => passOn(deps, route, c, address);
      if (c.req.method === 'POST' && c.req.path === '/api/v1/build') {
        if (limitBuilds === undefined && share === undefined) return pass();
        const submit = () =>
          pass()
            .then(acceptedBuild)
            .catch((error) => Promise.reject(unreadAnswer(c, error)));
        const limited = () => (limitBuilds === undefined ? submit() : limitBuilds(subscriberOf(address), submit));
        return (await (share === undefined ? limited() : share.submit(deps.clientKey(address), limited))).response;
      }
      const token = others?.take(subscriberOf(address));
      if (token?.taken === false) throw new TooManyRequestsError('requests', token.retryAfterSeconds);
      const response = await pass();
      const [, hash] = BUILD_PATH.exec(c.req.path) ?? [];
      if (hash !== undefined) share?.learn(hash, response);
      return response;
    });
  return app;
}

const BUILD_PATH = /^\/api\/v1\/build\/([0-9a-f]{64})$/;

/** An answer that broke off while it was read here: by the client, who does not wait for it, or by the service. */
function unreadAnswer(c: Context<HttpEnv>, error: unknown): unknown {
  if (error instanceof AsuError) return error;
  return c.req.raw.signal.aborted ? new ClientGoneError({ cause: error }) : new ServiceUnreachableError('build', { cause: error });
}

/** How long a client that may be refused waits for what is asked about builds. */
const LOOK_MS = 2_000;

/** Where a build is, by whichever service can tell. */
async function lookAt(services: GatewayAppDeps['services'], hash: string): Promise<BuildPlace | undefined> {
  for (const name of ['status', 'build'] as const) {
    const url = services[name];
    if (url === undefined) continue;
    const signal = AbortSignal.timeout(LOOK_MS);
    const response = await fetch(`${url}/api/v1/build/${hash}`, { method: 'HEAD', redirect: 'error', signal }).catch(() => undefined);
    const place = response && buildPlace(response);
    if (place !== undefined) return place;
  }
  return undefined;
}

async function passOn(deps: GatewayAppDeps, route: GatewayRoute, c: Context<HttpEnv>, address: string): Promise<Response> {
  const { method, raw } = c.req;
  if (Number(c.req.header('Content-Length') ?? 0) > deps.maxBodyBytes) throw new BodyTooLargeError(deps.maxBodyBytes);
  const correlationId = c.get('correlationId');
  const { pathname, search } = new URL(c.req.url);
  // `/store/%2e%2e/metrics` is below `/store/` for the router, and the service's `/metrics` for whoever takes the dots seriously.
  if (!route.paths.some((path) => isAt(path, pathname))) return c.notFound() as Response;
  const forwarding = {
    method,
    path: pathname + search,
    headers: requestHeaders(raw.headers, { address, host: c.req.header('Host'), correlationId }),
    body: raw.body,
    maxBodyBytes: deps.maxBodyBytes,
    signal: raw.signal,
  };
  const ask = async (service: GatewayService, timeoutMs: number) => {
    const url = deps.services[service];
    if (url === undefined) throw new NoSuchServiceError(service);
    try {
      return await forward({ name: service, url }, { ...forwarding, timeoutMs });
    } catch (error) {
      // What the client did says nothing about the service.
      if (error instanceof BodyTooLargeError) throw error;
      if (isBrokenOff(c)) throw new BrokenBodyError({ cause: error });
      if (raw.signal.aborted) throw new ClientGoneError({ cause: error });
      deps.onError?.(service, error, correlationId);
      throw error;
    }
  };
  const canStandIn = route.standIn !== undefined && deps.services[route.standIn] !== undefined && (method === 'GET' || method === 'HEAD');
  if (route.standIn === undefined || !canStandIn) return ask(route.service, route.timeoutMs);
  const first = await ask(route.service, STAND_IN_AFTER_MS).catch((error: unknown) => {
    if (!isMissing(error)) throw error;
    return undefined;
  });
  if (first !== undefined && !GONE.has(first.status)) return first;
  await first?.body?.cancel();
  return ask(route.standIn, route.timeoutMs);
}

const isAt = (pattern: string, path: string) => (pattern.endsWith('/*') ? path.startsWith(pattern.slice(0, -1)) : path === pattern);

const isMissing = (error: unknown) =>
  error instanceof ServiceUnreachableError || error instanceof ServiceTimeoutError || error instanceof NoSuchServiceError;
