import type { SubmitOutcome } from '#core/build/submit-build.ts';
import type { Clock } from '#core/stores.ts';
import type { RequestCounts, SubjectRequests } from './counts.ts';
import { PartlyCountedError } from './partly-counted-error.ts';
import type { Statistics } from './ports.ts';

/** The outcome of a request that passed the schema. */
type RequestOutcome = SubmitOutcome | 'rejected';

/**
 * Sums up requests in memory, so that a cached answer costs no write. If the process ends by `kill -9` or loss of
 * power, the requests of the last second are not counted; builds always are.
 */
export interface RequestCounter {
  /** `subject`: version, target and profile of an accepted request (`subjectName`). */
  add(outcome: RequestOutcome, client: string, subject?: string): void;
  /** Writes what was summed up since the last flush; counts that could not be written stay for the next. */
  flush(): Promise<void>;
}

/** Clients choose their names. One process keeps so many names a day apart; further names count as `other/0`. */
const MAX_CLIENTS = 200;
const OTHER = 'other/0';
/** A new build is a miss, counted with the build. */
const COUNTERS = { hit: 'hits', joined: 'joined', rejected: 'rejected' } as const;
/** `name/version`, as every known client writes it. No other text is published as a name. */
const CLIENT = /^[A-Za-z][A-Za-z0-9_.-]{0,31}\/[A-Za-z0-9_.+~-]{1,40}$/;

export function requestCounter({ statistics, now }: { statistics: Pick<Statistics, 'count'>; now: Clock }): RequestCounter {
  let sums = noSums();
  let named = { day: '', clients: new Set<string>() };
  /** Whether the client is counted by its name: only clients of accepted requests are. */
  const isNamed = (client: string): boolean => {
    const day = now().toISOString().slice(0, 10);
    if (named.day !== day) named = { day, clients: new Set() };
    if (!named.clients.has(client) && named.clients.size < MAX_CLIENTS && CLIENT.test(client)) named.clients.add(client);
    return named.clients.has(client);
  };
  const add = (outcome: RequestOutcome, client: string, subject?: string) => {
    if (subject !== undefined) addSubject(subject, { requests: 1, hits: outcome === 'hit' ? 1 : 0 });
    if (outcome !== 'new') sums[COUNTERS[outcome]] += 1;
    addClient(outcome === 'rejected' ? OTHER : isNamed(client) ? client : OTHER, 1);
  };
  const addClient = (client: string, times: number) => {
    sums.clients.set(client, (sums.clients.get(client) ?? 0) + times);
  };

  const addSubject = (subject: string, { requests, hits }: SubjectRequests) => {
    const known = sums.subjects.get(subject);
    if (known === undefined) sums.subjects.set(subject, { requests, hits });
    else {
      known.requests += requests;
      known.hits += hits;
    }
  };

  const giveBack = ({ hits, joined, rejected, clients, subjects }: RequestCounts) => {
    sums.hits += hits;
    sums.joined += joined;
    sums.rejected += rejected;
    for (const [client, times] of Object.entries(clients)) addClient(client, times);
    for (const [subject, requests] of Object.entries(subjects)) addSubject(subject, requests);
  };

  return {
    add,
    async flush() {
      if (sums.clients.size + sums.subjects.size === 0) return;
      const { clients, subjects, ...figures } = sums;
      const counts = { ...figures, at: now().toISOString(), clients: Object.fromEntries(clients), subjects: Object.fromEntries(subjects) };
      sums = noSums();
      try {
        await statistics.count(counts);
      } catch (error) {
        giveBack(error instanceof PartlyCountedError ? error.left : counts);
        throw error;
      }
    },
  };
}

const noSums = () => ({
  hits: 0,
  joined: 0,
  rejected: 0,
  clients: new Map<string, number>(),
  /** At most as many as upstream has devices; a few are requested within a second. */
  subjects: new Map<string, { requests: number; hits: number }>(),
});
