import { ClientShareError, QueueFullError } from '#core/errors.ts';
import type { ClientBuilds, ClientKey, QueuePositions } from './ports.ts';

export interface AssertRoomDeps {
  readonly positions: QueuePositions;
  /** More waiting builds than this and new ones are refused (`max_pending_jobs`). */
  readonly maxPendingBuilds: () => number;
  /** Absent: a client may have as much of the queue as there is. */
  readonly clientShare?: ClientShare;
}

export interface ClientShare {
  readonly clientBuilds: ClientBuilds;
  /** The number of builds that one client may have under way while others wait (`max_pending_per_client`); 0: any number. */
  readonly maxPendingPerClient: () => number;
}

/** How long a client that is refused is asked to wait. */
const RETRY_SECONDS = 60;

/**
 * Throws when the client may not begin another build: `ClientShareError` when it has its share and others wait, `QueueFullError` when the
 * queue is full. What a client took beyond its share while it was alone does not make the queue full for others, so up to twice `maxPendingBuilds`
 * may wait.
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
