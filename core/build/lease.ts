import { MAX_CLOCK_SKEW_SECONDS } from '#core/clock-skew.ts';
import type { RequestHash } from '#core/request/request-hash.ts';
import type { Clock } from '#core/stores.ts';
import type { Lease } from './build.ts';
import type { Sightings } from './sightings.ts';

export interface LapsedLeaseDeps {
  readonly now: Clock;
  readonly sightings: Sightings;
}

/** A lease for so many seconds from now on. */
export const leaseFor = (owner: string, now: Date, seconds: number): Lease => ({
  owner,
  expiresAt: new Date(now.getTime() + seconds * 1000).toISOString(),
  seconds,
});

/** The same lease, renewed: later than before, also when the clock was set back meanwhile. */
export function renewed({ owner, expiresAt }: Lease, now: Date, seconds: number): Lease {
  const later = new Date(Math.max(now.getTime() + seconds * 1000, Date.parse(expiresAt) + 1));
  return { owner, expiresAt: later.toISOString(), seconds };
}

/**
 * Whether nobody holds the lease any more: this process has seen it without a renewal for as long as it lasts, by a clock that nobody
 * sets. No time of day is compared, so neither a clock that is set nor two machines that disagree take a build from its runner or
 * keep a dead runner's. A lease that does not say how long it lasts is judged by the clock, with room for the skew of two.
 */
export function isLapsed({ now, sightings }: LapsedLeaseDeps, hash: RequestHash, lease: Lease): boolean {
  const { expiresAt, seconds } = lease;
  const unchangedSeconds = seenSeconds(sightings, hash, lease);
  if (seconds !== undefined) return unchangedSeconds >= seconds;
  return now().getTime() > Date.parse(expiresAt) + MAX_CLOCK_SKEW_SECONDS * 1000 || unchangedSeconds >= LONGEST_UNSAID_SECONDS;
}

/** How long this process has seen the lease without a renewal; the first call begins to count. */
export const seenSeconds = (sightings: Sightings, hash: RequestHash, { owner, expiresAt }: Lease): number =>
  sightings.secondsOf(hash, `${owner} ${expiresAt}`);

/** The longest lease that a version which did not say it gave by default. */
const LONGEST_UNSAID_SECONDS = 450;
