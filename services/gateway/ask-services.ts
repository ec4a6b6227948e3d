import { collectAtMost } from '#lib/collected-bytes.ts';
import { type BuildPlace, buildPlace } from './build-place.ts';
import type { GatewayService } from './routes.ts';

export type ServiceUrls = Readonly<Partial<Record<GatewayService, string>>>;

/** The answer of a service to the gateway's own question about a build. */
export interface Look {
  readonly place: BuildPlace;
  /** Whether a request for the build would get its result instead of beginning a new build. */
  readonly isAnswer: boolean;
}

/** The time limit of each question, while a client waits that the gateway may refuse. */
const PATIENCE_MS = 2_000;
/**
 * The most bytes of an answer of the prepare service, which contains the request and a reason for each changed package.
 */
const MAX_PREPARED_BYTES = 2 * 1024 * 1024;
/**
 * Matches a request with a first-boot script. The gateway sends private data only to the service that the client asked.
 */
const PRIVATE = /"defaults"\s*:\s*"[^"]/;

/** Asks the status service, else the build service, where a build is. Returns `undefined` if neither can say. */
export async function lookAt(services: ServiceUrls, hash: string): Promise<Look | undefined> {
  for (const name of ['status', 'build'] as const) {
    const url = services[name];
    if (url === undefined) continue;
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const response = await fetch(`${url}/api/v1/build/${hash}`, { method: 'HEAD', redirect: 'error', signal }).catch(() => undefined);
    const place = response && buildPlace(response);
    if (response !== undefined && place !== undefined) return { place, isAnswer: isAnswer(response) };
    if (response !== undefined && response.status < 500) return undefined;
  }
  return undefined;
}

/**
 * Returns whether the answer is about an existing build that a request would not begin again. After a failure that may
 * be built again, `Retry-After` has the remaining seconds, of which one is the minimum.
 */
const isAnswer = ({ status, headers }: Response) =>
  headers.has('X-Imagebuilder-Status') && status !== 404 && !(status === 500 && headers.get('Retry-After') === '1');

/**
 * Asks the prepare service which build a request means. Returns `undefined` if it cannot say or the request is private.
 */
export async function hashOf(services: ServiceUrls, body: Uint8Array): Promise<string | undefined> {
  const text = new TextDecoder().decode(body);
  if (services.prepare === undefined || PRIVATE.test(text)) return undefined;
  try {
    const headers = { 'Content-Type': 'application/json' };
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const response = await fetch(`${services.prepare}/api/v1/prepare`, { method: 'POST', body: text, headers, redirect: 'error', signal });
    const answer = await collectAtMost(response.body, MAX_PREPARED_BYTES, () => new Error('the answer is too long'));
    const hash: unknown = response.ok ? JSON.parse(answer.toString('utf8'))?.request_hash : undefined;
    return typeof hash === 'string' && /^[0-9a-f]{64}$/.test(hash) ? hash : undefined;
  } catch {
    return undefined;
  }
}
