import type { ClientKey } from '#core/build/ports.ts';
import type { BuildPlace } from './build-place.ts';

/** The builds that a gateway has seen accepted but not yet ended. */
export interface SeenBuilds {
  /** Called when a build was accepted for the client. A build counts for the client that asked for it first. */
  accepted(hash: string, client: ClientKey, place: BuildPlace | undefined): void;
  /** Called when a service has answered where the build is. */
  found(hash: string, place: BuildPlace | undefined): void;
  /** The client's builds, oldest first. */
  of(client: ClientKey): readonly string[];
  /** Returns up to the given number of the client's builds: its oldest, then those with the oldest news. */
  toLookAt(client: ClientKey, limit: number): readonly string[];
  count(client: ClientKey): number;
  /** Builds of other clients that were last seen waiting, the most recently seen first. */
  othersWaiting(client: ClientKey, limit: number): readonly string[];
}

/** The most builds, of some 300 bytes each. Beyond it the gateway forgets the oldest, which favours their clients. */
const MAX_SEEN = 50_000;

export function seenBuilds(max = MAX_SEEN): SeenBuilds {
  const builds = new Map<string, ClientKey>();
  const byClient = new Map<ClientKey, Set<string>>();
  /** The same builds, in the order of their last news. */
  const heardOf = new Map<ClientKey, Set<string>>();
  /** Builds that were last seen waiting, in the order in which they were seen. */
  const waiting = new Map<string, ClientKey>();

  const forget = (hash: string) => {
    const client = builds.get(hash);
    if (client === undefined) return;
    builds.delete(hash);
    waiting.delete(hash);
    const own = byClient.get(client);
    own?.delete(hash);
    heardOf.get(client)?.delete(hash);
    if (own?.size !== 0) return;
    byClient.delete(client);
    heardOf.delete(client);
  };
  const found = (hash: string, place: BuildPlace | undefined) => {
    const client = builds.get(hash);
    if (client === undefined || place === undefined) return;
    waiting.delete(hash);
    const heard = heardOf.get(client);
    heard?.delete(hash);
    heard?.add(hash);
    if (place === 'ended') forget(hash);
    if (place === 'waiting') waiting.set(hash, client);
  };

  return {
    accepted(hash, client, place) {
      if (!builds.has(hash)) {
        builds.set(hash, client);
        for (const builds of [byClient, heardOf]) {
          const own = builds.get(client);
          if (own === undefined) builds.set(client, new Set([hash]));
          else own.add(hash);
        }
        const [oldest] = builds.keys();
        if (builds.size > max && oldest !== undefined) forget(oldest);
      }
      found(hash, place);
    },
    found,
    of: (client) => [...(byClient.get(client) ?? [])],
    toLookAt: (client, limit) => {
      const chosen = new Set<string>();
      const [oldest] = byClient.get(client) ?? [];
      if (oldest !== undefined) chosen.add(oldest);
      for (const hash of heardOf.get(client) ?? []) {
        if (chosen.size >= limit) break;
        chosen.add(hash);
      }
      return [...chosen];
    },
    count: (client) => byClient.get(client)?.size ?? 0,
    othersWaiting: (client, limit) => {
      const others: string[] = [];
      for (const [hash, owner] of waiting) {
        if (owner === client) continue;
        others.push(hash);
        if (others.length > limit) others.shift();
      }
      return others.reverse();
    },
  };
}
