import { ClientShareError, QueueFullError } from '#core/errors.ts';
import type { ClientBuilds, ClientKey, QueuePositions } from './ports.ts';

export interface AssertRoomDeps {
  readonly positions: QueuePositions;
  /** The number of waiting builds beyond which new builds are refused (`MAX_PENDING_JOBS`). */
  readonly maxPendingBuilds: () => number;
  /** Absent: one client may fill the queue. */
  readonly clientShare?: ClientShare;
}

export interface ClientShare {
  readonly clientBuilds: ClientBuilds;
  /**
   * The number of builds that one client may have waiting or running while others wait (`MAX_PENDING_PER_CLIENT`); 0:
   * any number.
   */
  readonly maxPendingPerClient: () => number;
}

/** How long a refused client is asked to wait. */
const RETRY_SECONDS = 60;

/**
 * Throws when the client may not begin another build: `ClientShareError` when it has its share and others wait,
 * `QueueFullError` when the queue is full. Builds that a client took beyond its share while it was alone do not make
 * the queue full for others, so up to twice `maxPendingBuilds` may wait.
 */
export async function assertRoom(deps: AssertRoomDeps, client: ClientKey | undefined): Promise<void> {
  const { positions, clientShare } = deps;
  const most = deps.maxPendingBuilds();
  const share = clientShare?.maxPendingPerClient() ?? 0;
  const waiting = await positions.waiting();
  if (clientShare === undefined || client === undefined || share === 0) {
    if (waiting > most) throw new QueueFullError(waiting, RETRY_SECONDS);
    return;
  }
  const { clientBuilds } = clientShare;
  const own = await clientBuilds.pending(client);
  if (own >= share && (await clientBuilds.othersWaiting(client)) > 0) throw new ClientShareError(own, RETRY_SECONDS);
  if (waiting <= most) return;
  if (own >= share || (await clientBuilds.waitingWithin(share)) > most) throw new QueueFullError(waiting, RETRY_SECONDS);
}
