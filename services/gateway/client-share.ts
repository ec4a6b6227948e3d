import { LRUCache } from 'lru-cache';
import type { ClientKey } from '#core/build/ports.ts';
import { ClientShareError } from '#core/errors.ts';
import type { Answered, Submit } from './accepted-build.ts';
import { type BuildPlace, buildPlace } from './build-place.ts';
import { type SeenBuilds, seenBuilds } from './seen-builds.ts';

export interface ClientShareOptions {
  /** The number of builds that one client may have waiting or running while others wait. */
  readonly maxPending: number;
  /** Asks the services where a build is. Returns `undefined` if they cannot say. */
  readonly look: (hash: string) => Promise<BuildPlace | undefined>;
}

export interface ClientShare {
  /** Passes a client's build request on by `submit`, or throws `ClientShareError`. */
  submit(client: ClientKey, submit: Submit): Promise<Answered>;
  /** Learns from what a service answers about a build. */
  learn(hash: string, response: Response): void;
  /** Counts a build for the client whose request was passed on although the client has its share. */
  charge(client: ClientKey, answered: Answered): void;
}

type Verdict = 'has room' | 'is alone' | 'others wait';

/**
 * The number of the client's builds, and of builds of others, that the gateway asks about before it refuses a client.
 */
const LOOKS = 3;
/** The time for which a refusal is repeated without new questions. */
const REPEATED_MS = 5_000;
const MAX_REPEATED = 10_000;
const RETRY_SECONDS = 60;

/**
 * Refuses a client that has its share of waiting and running builds while others wait, as far as this gateway knows
 * (docs/decisions/0052-one-client-and-the-queue.md). It sees every build accepted, but its end only when a client asks
 * for the build. Before it refuses, it asks about the client's oldest builds, which end first, and about builds of
 * others that were last seen waiting.
 */
export function clientShare({ maxPending, look }: ClientShareOptions): ClientShare {
  const seen = seenBuilds();
  const inFlight = new Map<ClientKey, number>();
  const refused = new LRUCache<ClientKey, true>({ max: MAX_REPEATED, ttl: REPEATED_MS });
  const looking = new Map<ClientKey, Promise<Verdict>>();

  const pending = (client: ClientKey) => seen.count(client) + (inFlight.get(client) ?? 0);
  const fly = (client: ClientKey, change: number) => {
    const count = (inFlight.get(client) ?? 0) + change;
    if (count === 0) inFlight.delete(client);
    else inFlight.set(client, count);
  };
  const judge = async (client: ClientKey): Promise<Verdict> => {
    await dropEnded(seen, look, client);
    if (pending(client) < maxPending) return 'has room';
    return (await doOthersWait(seen, look, client)) ? 'others wait' : 'is alone';
  };
  /** The verdict on a client; its other requests that come meanwhile wait for the same one. */
  const judgeOnce = (client: ClientKey) => {
    const known = looking.get(client);
    if (known !== undefined) return known;
    const verdict = judge(client).finally(() => looking.delete(client));
    looking.set(client, verdict);
    return verdict;
  };
  /** Counts the request as in flight, unless it is refused. */
  const admit = async (client: ClientKey) => {
    while (pending(client) >= maxPending) {
      const isRepeated = refused.has(client);
      const verdict = isRepeated ? 'others wait' : await judgeOnce(client);
      if (verdict === 'is alone') break;
      if (verdict === 'has room') continue;
      if (!isRepeated) refused.set(client, true);
      throw new ClientShareError(pending(client), RETRY_SECONDS);
    }
    fly(client, 1);
  };

  const charge = (client: ClientKey, { hash, response }: Answered) => {
    if (hash !== undefined) seen.accepted(hash, client, buildPlace(response));
  };

  return {
    async submit(client, submit) {
      await admit(client);
      try {
        const answered = await submit();
        charge(client, answered);
        return answered;
      } finally {
        fly(client, -1);
      }
    },
    learn: (hash, response) => seen.found(hash, buildPlace(response)),
    charge,
  };
}

/**
 * Forgets builds of the client that have ended. It asks first about the oldest, since the queue is served in order. A
 * build may take long while later ones end, so the others are those with the oldest news.
 */
async function dropEnded(seen: SeenBuilds, look: ClientShareOptions['look'], client: ClientKey): Promise<void> {
  await Promise.all(seen.toLookAt(client, LOOKS).map(async (hash) => seen.found(hash, await look(hash))));
}

/** Returns whether a build of another client waits. A build about which no service answers counts as waiting. */
async function doOthersWait(seen: SeenBuilds, look: ClientShareOptions['look'], client: ClientKey): Promise<boolean> {
  const places = await Promise.all(
    seen.othersWaiting(client, LOOKS).map(async (hash) => {
      const place = await look(hash);
      seen.found(hash, place);
      return place;
    }),
  );
  return places.some((place) => place === 'waiting' || place === undefined);
}
