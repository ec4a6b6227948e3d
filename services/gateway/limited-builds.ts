import type { Context } from 'hono';
import type { ClientKey } from '#core/build/ports.ts';
import { AsuError } from '#core/errors.ts';
import { BrokenBodyError, ClientGoneError, isBrokenOff } from '#http/broken-request.ts';
import type { HttpEnv } from '#http/http-app.ts';
import { BodyTooLargeError } from '#http/json-body.ts';
import { subscriberOf } from '#http/rate-limit/client-address.ts';
import type { Rate, TokenBuckets } from '#http/rate-limit/token-buckets.ts';
import { refusalOf } from '#http/refusal.ts';
import { collectAtMost } from '#lib/collected-bytes.ts';
import { type Answered, acceptedBuild } from './accepted-build.ts';
import { hashOf, lookAt, type ServiceUrls } from './ask-services.ts';
import { askedBuilds, type SentRequest } from './asked-builds.ts';
import { buildLimit } from './build-limit.ts';
import { clientShare } from './client-share.ts';
import { ServiceUnreachableError } from './errors.ts';
import { type Holding, heldBytes } from './held-bytes.ts';

export interface LimitedBuildsDeps {
  readonly services: ServiceUrls;
  readonly maxBodyBytes: number;
  readonly maxPendingPerClient: number;
  readonly clientKey: (address: string) => ClientKey;
  readonly builds?: Rate | undefined;
}

export interface LimitedBuilds {
  /** Passes a build request on by `pass`, or throws an error with the reason why its client may begin no build now. */
  submit(c: Context<HttpEnv>, address: string, pass: (body: ReadableStream<Uint8Array>) => Promise<Response>): Promise<Response>;
  /** Learns from what a service answers about a build. */
  learn(hash: string, response: Response): void;
}

/**
 * Limits the builds that each client begins, by rate and by its share of the queue. Only the build service knows
 * whether a request begins a build. Therefore, before it refuses a client, the gateway finds out whether the request is
 * for a build that is there already: such a request is passed on whatever the limits say. Finding out costs a token of
 * the client's other requests (`others`). Returns `undefined` where there are no limits.
 */
export function limitedBuilds(deps: LimitedBuildsDeps, others: TokenBuckets | undefined): LimitedBuilds | undefined {
  const { services, builds, maxPendingPerClient: maxPending } = deps;
  if (builds === undefined && maxPending === 0) return undefined;
  const limit = builds && buildLimit(builds);
  const look = async (hash: string) => (await lookAt(services, hash))?.place;
  const share = maxPending === 0 ? undefined : clientShare({ maxPending, look });
  const asked = askedBuilds();
  const held = heldBytes(MAX_HELD_BYTES);

  const beginsNone = async (request: SentRequest, address: string): Promise<boolean> => {
    if (others?.take(subscriberOf(address)).taken === false) return false;
    const hash = asked.find(request) ?? (isResolved(request) ? await hashOf(services, request.body) : undefined);
    return hash !== undefined && (await lookAt(services, hash))?.isAnswer === true;
  };
  const admitted = async (request: SentRequest, address: string, submit: () => Promise<Answered>): Promise<Answered> => {
    const limited = () => (limit === undefined ? submit() : limit(subscriberOf(address), submit));
    try {
      return await (share === undefined ? limited() : share.submit(deps.clientKey(address), limited));
    } catch (error) {
      if (refusalOf(error) === undefined || !(await beginsNone(request, address))) throw error;
      const answered = await submit();
      // Upstream may have moved since the look, so that the request began a build after all.
      share?.charge(deps.clientKey(address), answered);
      return answered;
    }
  };

  return {
    submit: async (c, address, pass) => {
      const holding = held.hold();
      try {
        const request = { search: new URL(c.req.url).search, body: await bodyOf(c, deps.maxBodyBytes, holding) };
        const submit = () =>
          pass(new Blob([request.body]).stream())
            .then(acceptedBuild)
            .catch((error) => Promise.reject(unreadAnswer(c, error)));
        const { response, hash } = await admitted(request, address, submit);
        const known = hash ?? asked.find(request);
        if (hash !== undefined) asked.accepted(request, hash);
        else if (known !== undefined) share?.learn(known, response);
        return response;
      } finally {
        holding.release();
      }
    },
    learn: (hash, response) => share?.learn(hash, response),
  };
}

/**
 * Whether the build service resolves the packages of the request, as the prepare service does. A query can forbid that, so
 * the query may only be empty or the time stamp that clients add against caches.
 */
const isResolved = ({ search }: SentRequest): boolean => /^(?:\?\d*)?$/.test(search);

/** The bytes of all bodies together that the gateway holds at once. A body is mostly some kilobytes. */
const MAX_HELD_BYTES = 64 * 1024 * 1024;

/** Reads the whole body, of at most so many bytes. Each chunk counts as held. */
async function bodyOf(c: Context<HttpEnv>, maxBytes: number, holding: Holding): Promise<Uint8Array<ArrayBuffer>> {
  if (Number(c.req.header('Content-Length') ?? 0) > maxBytes) throw new BodyTooLargeError(maxBytes);
  const tooLong = () => new BodyTooLargeError(maxBytes);
  try {
    return await collectAtMost(c.req.raw.body, maxBytes, tooLong, (chunk) => holding.take(chunk.length));
  } catch (error) {
    if (error instanceof AsuError) throw error;
    if (isBrokenOff(c)) throw new BrokenBodyError({ cause: error });
    throw c.req.raw.signal.aborted ? new ClientGoneError({ cause: error }) : error;
  }
}

/**
 * Returns the error for an answer that ended while the gateway read it: either the client left, or the service failed.
 */
function unreadAnswer(c: Context<HttpEnv>, error: unknown): unknown {
  if (error instanceof AsuError) return error;
  return c.req.raw.signal.aborted ? new ClientGoneError({ cause: error }) : new ServiceUnreachableError('build', { cause: error });
}
