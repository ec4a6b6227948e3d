import { artifactKeys } from '#core/build/artifact-keys.ts';
import type { RequestHash } from '#core/request/request-hash.ts';
import { buildResponse } from '#http/build-response.ts';
import type { SimulatedProcess } from '../process.ts';
import type { World } from '../world.ts';
import type { Api } from './api.ts';
import { machine } from './machine.ts';

/** The answer to a GET, as a client sees it. */
export interface CdnAnswer {
  readonly status: number;
  readonly document: string | undefined;
}

export interface Cdn {
  /** Asks for a build. `origin` answers where the store has no result. */
  get(hash: RequestHash, origin: Api): Promise<CdnAnswer>;
  /** The answers that it may still give from its cache. */
  cached(): Iterable<{ readonly hash: RequestHash; readonly document: string }>;
}

interface Copy {
  readonly document: string;
  readonly untilMs: number;
}

/**
 * Starts a CDN in front of the API, as on AWS: it keeps a 200 for as long as its `max-age` says, counted from when the
 * answer was made; it takes results from the store, and asks the API for the rest.
 */
export function cdn(world: World): Cdn {
  const copies = new Map<RequestHash, Copy>();
  const time = () => world.scheduler.time();
  const { artifacts } = world.truth;
  /** Reads an object with its `Cache-Control` and the moment of the answer. */
  const origin = {
    get: async (key: string) => {
      const text = await world.ports.artifacts.read(key);
      return text === undefined ? undefined : { text, cacheControl: artifacts.objects.get(key)?.meta.cacheControl ?? '', atMs: time() };
    },
  };
  const edge = machine(world, 'cdn', (process: SimulatedProcess) => process.use('cdn origin', origin));
  const keep = (hash: RequestHash, document: string, cacheControl: string, atMs: number) => {
    const [, maxAge] = /^public, max-age=(\d+)/.exec(cacheControl) ?? [];
    const untilMs = atMs + Number(maxAge ?? 0) * 1000;
    if (untilMs > (copies.get(hash)?.untilMs ?? time())) copies.set(hash, { document, untilMs });
  };
  const copyOf = (hash: RequestHash) => {
    const copy = copies.get(hash);
    if (copy !== undefined && copy.untilMs <= time()) copies.delete(hash);
    return copies.get(hash)?.document;
  };
  return {
    get: async (hash, api) => {
      const copy = copyOf(hash);
      if (copy !== undefined) return { status: 200, document: copy };
      const store = edge.running();
      if (store === undefined) throw new Error('the CDN does not answer');
      const result = await store.get(artifactKeys.result(hash));
      if (result !== undefined) {
        keep(hash, result.text, result.cacheControl, result.atMs);
        return { status: 200, document: result.text };
      }
      const view = await api.status(hash);
      // Only a 200 is kept, and to make the other answers takes as long as many steps.
      if (view.state !== 'done') return { status: view.state === 'queued' || view.state === 'building' ? 202 : 500, document: undefined };
      const response = buildResponse(view, () => 60);
      keep(hash, view.document, response.headers.get('Cache-Control') ?? '', time());
      return { status: response.status, document: view.document };
    },
    cached: function* () {
      for (const hash of [...copies.keys()]) {
        const document = copyOf(hash);
        if (document !== undefined) yield { hash, document };
      }
    },
  };
}
