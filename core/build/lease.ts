import { MAX_CLOCK_SKEW_SECONDS } from '#core/clock-skew.ts';
import type { RequestHash } from '#core/request/request-hash.ts';
import type { Clock } from '#core/stores.ts';
import type { Lease } from './build.ts';
import { NOTES_ERROR_SECONDS } from './lease-notes.ts';
import type { Sightings } from './sightings.ts';

export interface LapsedLeaseDeps {
  readonly now: Clock;
  readonly sightings: Sightings;
}

/** Returns a lease for so many seconds from now on. */
export const leaseFor = (owner: string, now: Date, seconds: number): Lease => ({
  owner,
  expiresAt: new Date(now.getTime() + seconds * 1000).toISOString(),
  seconds,
});

/** Returns the same lease renewed: later than before, also when the clock was set back meanwhile. */
export function renewed({ owner, expiresAt }: Lease, now: Date, seconds: number): Lease {
  const later = new Date(Math.max(now.getTime() + seconds * 1000, Date.parse(expiresAt) + 1));
  return { owner, expiresAt: later.toISOString(), seconds };
}

/**
 * Returns whether the lease is over: for its whole length no renewal was seen, by this process's monotonic clock or by
 * the notes of earlier sweeps (`notedSeconds`, see `lease-notes.ts`). No time of day is compared with the time in the
 * lease. A clock that is set, or two machines that disagree, therefore cannot take a build from a live runner, and
 * cannot keep the build of a lost one. A lease that does not say how long it lasts is judged by the clock, with room
 * for the skew of two machines.
 */
export function isLapsed({ now, sightings }: LapsedLeaseDeps, hash: RequestHash, lease: Lease, notedSeconds = 0): boolean {
  const { expiresAt, seconds } = lease;
  const unchangedSeconds = seenSeconds(sightings, hash, lease);
  if (seconds !== undefined) return unchangedSeconds >= seconds || notedSeconds >= seconds + NOTES_ERROR_SECONDS;
  return now().getTime() > Date.parse(expiresAt) + MAX_CLOCK_SKEW_SECONDS * 1000 || unchangedSeconds >= LONGEST_UNSAID_SECONDS;
}

/**
 * The condition of a write that takes a lease over: the lease was not renewed since the row was read, as each renewal
 * makes it later.
 */
export const unrenewed = ({ lease }: { readonly lease: Lease }) => ({ lapsedAt: new Date(lease.expiresAt) });

/** The condition of a renewal: no later one has been written, as a write may arrive long after its runner gave it up. */
export const notOvertaken = (renewal: { readonly lease: Lease }) => unrenewed(renewal);

/** Returns how long this process has seen the lease without a renewal; the first call begins to count. */
export const seenSeconds = (sightings: Sightings, hash: RequestHash, { owner, expiresAt }: Lease): number =>
  sightings.secondsOf(hash, `${owner} ${expiresAt}`);

/** The longest default lease of the versions that did not write how long a lease lasts. */
const LONGEST_UNSAID_SECONDS = 450;
