import { MAX_ATTEMPTS } from '#core/build/attempt.ts';
import type { Build, BuildState } from '#core/build/build.ts';
import { START_MS } from '../process.ts';
import type { World } from '../world.ts';

/** The moves that a state allows (docs/architecture.md, States), written down a second time on purpose. */
const MOVES: Readonly<Record<BuildState, string>> = {
  queued: 'queued building failed cancelled',
  building: 'building queued done failed cancelled',
  done: 'expiring',
  failed: 'expiring',
  cancelled: 'expiring',
  expiring: 'expiring gone',
};

/** The most that a clock is ahead of the true time. */
const SKEW_MS = 30_000;

/** Checks every write of a row: I1, I5, live leases, and that no result leaves before its time. */
export function watchRows(world: World): void {
  const leases = new Map<string, { readonly holder: string; readonly owner: string; readonly untilMs: number }>();
  const time = () => world.scheduler.time();

  world.onWrite((write) => {
    const { hash, before, after, isClaim } = write;
    const { processName: who, calledMs } = world.caller();
    const breaks = (promise: string, what: string) => world.breaks(promise, `${hash.slice(0, 6)}: ${what} (${who})`);
    if (isClaim) checkClaim(world, before, breaks);
    else checkMove(before, after, breaks);

    const lease = leases.get(hash);
    const isTaken = !isClaim && lease !== undefined && lease.holder !== who && time() < lease.untilMs;
    if (isTaken) breaks('lease', `the lease of ${lease.holder} is live for ${(lease.untilMs - time()) / 1000} s more`);
    if (before?.state === 'done' && START_MS + time() + SKEW_MS < Date.parse(before.expiresAt))
      breaks('expiry', `a result leaves before its time, ${before.expiresAt}`);

    if (after === undefined || !('lease' in after)) leases.delete(hash);
    else {
      const { owner, seconds = 0 } = after.lease;
      const known = lease?.owner === owner ? lease : undefined;
      // The holder counts from when it began to write: a write that arrives late may be older than one before it.
      const untilMs = Math.max(calledMs + seconds * 1000, known?.untilMs ?? 0);
      leases.set(hash, { holder: known?.holder ?? who, owner, untilMs });
    }
  });
}

type Breaks = (promise: string, what: string) => void;

function checkClaim(world: World, before: Build | undefined, breaks: Breaks): void {
  if (before === undefined || before.state === 'expiring' || before.state === 'cancelled') return;
  if (before.state === 'queued' || before.state === 'building') return breaks('I1', `a second build beside one that is ${before.state}`);
  const isOver = Date.parse(before.expiresAt) <= START_MS + world.scheduler.time() + SKEW_MS;
  if (!isOver && (before.state === 'done' || before.cached)) breaks('I1', `a second build although one is ${before.state}`);
}

function checkMove(before: Build | undefined, after: Build | undefined, breaks: Breaks): void {
  if (before === undefined) return breaks('I5', 'a row appears without a claim');
  if (!MOVES[before.state].split(' ').includes(after?.state ?? 'gone')) return breaks('I5', `${before.state} → ${after?.state ?? 'gone'}`);
  if (after === undefined) return;
  for (const field of ['enqueuedAt', 'ticket', 'isPrivate', 'correlationId'] as const)
    if (before[field] !== after[field]) breaks('I5', `${field} changes from ${before[field]} to ${after[field]}`);
  const step = after.attempt - before.attempt;
  const isBegun = before.state === 'queued' && after.state === 'building';
  const mayBeHandedBack = before.state === 'building' && after.state === 'queued';
  if (isBegun ? step !== 1 : step !== 0 && !(mayBeHandedBack && step === -1)) breaks('I5', `attempt ${before.attempt} → ${after.attempt}`);
  if (after.attempt > MAX_ATTEMPTS) breaks('I8', `attempt ${after.attempt}`);
}
