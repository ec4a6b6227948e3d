import type { BuildView } from '#core/build/build-status.ts';
import { BuildNotFoundError } from '#core/errors.ts';
import type { RequestHash } from '#core/request/request-hash.ts';
import type { SimulatedRequest } from '../requests.ts';
import type { World } from '../world.ts';
import type { Api } from './api.ts';
import type { Cdn } from './cdn.ts';
import type { Machine } from './machine.ts';

export interface ClientParts {
  readonly apis: readonly Machine<Api>[];
  /** Absent: clients ask the API, as they do where it has no CDN in front. */
  readonly cdn: Cdn | undefined;
  readonly requests: readonly SimulatedRequest[];
}

/** A client gives a request up that is not answered for so long. */
const TIMEOUT_MS = 60_000;
const LONGEST_REST_MS = 150_000;
const LONGEST_POLL_MS = 40_000;

/**
 * Starts a client that asks for builds, one after the other, and polls each until it has ended. It begins no build
 * after faults have ended, but goes on to poll.
 */
export function client(world: World, name: string, { apis, cdn, requests }: ClientParts): void {
  const random = world.randomOf(name);
  const process = world.spawn({ name, machine: name });
  const isPatient = random.chance(0.3);
  const isOpen = () => world.scheduler.time() < world.faultsEndMs;

  /** Asks one of the API's machines; fails when it dies or takes too long. */
  const ask = async <T>(question: (api: Api) => Promise<T>): Promise<T> => {
    const running = apis.map((one) => one.running()).filter((one) => one !== undefined);
    if (running.length === 0) throw new Error('connection refused');
    const late = process.pause(TIMEOUT_MS).then(() => {
      throw new Error('no answer');
    });
    late.catch(() => undefined);
    return await Promise.race([question(random.pick(running)), late]);
  };
  const poll = async (hash: RequestHash, isPatient: boolean): Promise<void> => {
    for (;;) {
      await process.pause(random.between(2_000, LONGEST_POLL_MS));
      try {
        const isPending = await ask(async (api) =>
          cdn === undefined ? isWaitingOrRunning(await api.status(hash)) : (await cdn.get(hash, api)).status === 202,
        );
        if (!isPending && !isPatient) return;
      } catch (error) {
        if (error instanceof BuildNotFoundError) return;
      }
    }
  };
  const live = async () => {
    for (;;) {
      await process.pause(random.between(0, LONGEST_REST_MS));
      if (!isOpen()) return;
      const { request } = random.pick(requests);
      const submitted = await ask((api) => api.submit(request)).catch(() => undefined);
      // Some look at a build again and again until it is gone.
      if (submitted !== undefined && (isWaitingOrRunning(submitted.view) || isPatient)) await poll(submitted.prepared.hash, isPatient);
    }
  };
  void live();
}

const isWaitingOrRunning = ({ state }: BuildView): boolean => state === 'queued' || state === 'building';
