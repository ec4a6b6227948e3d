import { latestPlausible, MAX_CLOCK_SKEW_SECONDS } from '#core/clock-skew.ts';
import type { Clock, RecordStore } from '#core/stores.ts';
import type { Lease } from './build.ts';

/**
 * Notes of leases that outlive the process that made them: for sweepers whose processes may all end before a lease
 * does.
 */
export interface LeaseNotes {
  /**
   * Notes that a sweep has just read the leases. Returns for each of them for how many seconds sweeps, of this process
   * and of others, have seen it without a renewal; with clocks as docs/decisions/0055 allows them, at most
   * `NOTES_ERROR_SECONDS` more than have passed.
   */
  look(leases: readonly Lease[]): Promise<(lease: Lease) => number>;
}

/** The most that the time between two looks counts: a clock that was set forward in between adds no more than this. */
const MAX_GAP_SECONDS = 60;
/** How much too high a count may be: clocks of two machines that are apart, and one clock that was set forward. */
export const NOTES_ERROR_SECONDS = MAX_CLOCK_SKEW_SECONDS + MAX_GAP_SECONDS;

const KEY = 'lease-notes';

interface Notes {
  /** The latest time of day at which any process looked, ISO 8601. */
  readonly at: string;
  /** By owner. Leases of one owner that are over from the start share an entry, which no sweep reads. */
  readonly leases: Readonly<Record<string, { readonly expiresAt: string; readonly seconds: number }>>;
}

/**
 * Keeps the notes in one record. The time between two looks is that of the clock on the wall, as no other clock
 * outlives a process, but it is counted with care: from the latest time that any process has noted, so that machines
 * whose clocks differ do not count the difference over and over, and for at most a minute, so that a clock that was set
 * counts no more than that.
 */
export function leaseNotes({ records, now }: { readonly records: RecordStore; readonly now: Clock }): LeaseNotes {
  return {
    look: async (leases) => {
      const found = await records.get(KEY);
      const known = notesIn(found?.body);
      const time = now();
      const isPlausible = known !== undefined && known.at <= latestPlausible(time).toISOString();
      const latest = isPlausible ? Date.parse(known.at) : time.getTime();
      const passed = Math.min(MAX_GAP_SECONDS, Math.max(0, (time.getTime() - latest) / 1000));
      const next: Notes = {
        at: new Date(Math.max(time.getTime(), latest)).toISOString(),
        leases: Object.fromEntries(
          leases.map(({ owner, expiresAt }) => {
            const before = known?.leases[owner];
            return [owner, { expiresAt, seconds: before?.expiresAt === expiresAt ? before.seconds + passed : 0 }];
          }),
        ),
      };
      // Where another sweep was first, it has counted about the same, and this one's count holds for this one.
      await records.replace(KEY, JSON.stringify(next), found?.tag);
      return ({ owner, expiresAt }) => {
        const note = next.leases[owner];
        return note?.expiresAt === expiresAt ? note.seconds : 0;
      };
    },
  };
}

function notesIn(body: string | undefined): Notes | undefined {
  try {
    const notes = JSON.parse(body ?? 'null') as Notes | null;
    return notes === null || Number.isNaN(Date.parse(notes.at)) || typeof notes.leases !== 'object' ? undefined : notes;
  } catch {
    return undefined;
  }
}
