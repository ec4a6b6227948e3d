import { MAX_CLOCK_SKEW_SECONDS } from '#core/clock-skew.ts';
import { UpstreamUnavailableError } from '#core/errors.ts';
import type { Clock, Monotonic, RecordStore } from '#core/stores.ts';
import { boundedMap } from '#lib/bounded-map.ts';
import { withTimeout } from '#lib/with-timeout.ts';
import { documentOf, packText, textOf, unpackText } from './packed-text.ts';
import { singleFlight } from './single-flight.ts';
import { spareReads } from './spare-reads.ts';

/** Says when a copy is good enough. */
export interface DocumentPolicy<T> {
  /** Up to this age, a copy is used without asking upstream. */
  readonly maxAgeMs: number;
  /**
   * Up to this age, a copy is answered at once and refreshed in the background. With an older one, the caller waits.
   */
  readonly maxStaleMs: number;
  /**
   * How long this process may use its memory without asking the shared store. By default, as long as the copy is not
   * due.
   */
  readonly memoryMs?: number;
  /**
   * Whether the caller is about to answer "unknown": then upstream is asked first, unless that was done just now, or too
   * often (`spareReads`).
   */
  readonly fresh?: boolean;
  /**
   * When upstream is known to have changed, in milliseconds since the epoch: a copy that may be from before is read again
   * first. This process does so once for one time, whatever the clocks of others say.
   */
  readonly changedAt?: number | undefined;
  /**
   * Returns whether parts of the value could not be read: then the copy is checked again as soon as an answer of
   * "unknown".
   */
  readonly isPartial?: (value: T) => boolean;
}

/** A value as of `checkedAt`. `undefined` when upstream does not have it. */
interface Copy<T> {
  readonly value: T | undefined;
  /** Milliseconds since the epoch. */
  readonly checkedAt: number;
}

/** Asks upstream for the value. `undefined` means that upstream does not have it. An error keeps the previous value. */
type Load<T> = (previous: T | undefined) => Promise<T | undefined>;

export interface SharedDocuments {
  /**
   * Returns a copy from memory, from the shared store, or from upstream, in this order. It does not throw once any
   * process has stored a copy; without one it throws `UpstreamUnavailableError`. A copy that another process stored
   * first wins over the one fetched here.
   */
  read<T>(key: string, what: string, load: Load<T>, policy: DocumentPolicy<T>): Promise<Copy<T>>;
}

export interface SharedDocumentsOptions {
  readonly records: RecordStore;
  /** The clock that dates the copies in the store. */
  readonly now: Clock;
  /** The clock that dates the copies in memory. */
  readonly monotonic: Monotonic;
  /** How long a caller waits for upstream. */
  readonly waitMs: number;
  /** Called for each refresh that failed. */
  readonly onError?: ((what: string, error: unknown) => void) | undefined;
}

/**
 * The age at which an answer of "unknown", or with parts missing, is checked again. Upstream is not asked more often
 * about one document, besides the spare reads.
 */
const REVALIDATE_MS = 30_000;
/** The age up to which a copy is as good as what upstream would answer now. */
const JUST_NOW_MS = 2000;
const MAX_TEXT_IN_MEMORY = 32 * 1024 * 1024;
const MAX_ABSENCES = 10_000;
/** The weight of an entry without its text. */
const LEAST_WEIGHT = 512;

interface Remembered {
  readonly copy: Copy<unknown>;
  readonly tag: string | undefined;
  readonly size: number;
  readonly readAt: number;
  /**
   * The number of the look-up that found this copy, in the order in which look-ups began. A slow earlier one does not
   * replace a later one.
   */
  readonly lookUp: number;
}

interface Stored {
  readonly checkedAt: number;
  /** `null` when upstream does not have it. */
  readonly value: unknown;
}

export function sharedDocuments({ records, now, monotonic, waitMs, onError }: SharedDocumentsOptions): SharedDocuments {
  const memory = boundedMap<Remembered>(MAX_TEXT_IN_MEMORY, ({ size }) => size + LEAST_WEIGHT);
  /** Answers that a name does not exist. They have their own limit: made-up names must not push out what is there. */
  const absences = boundedMap<Remembered>(MAX_ABSENCES, () => 1);
  const recall = (key: string): Remembered | undefined => memory.get(key) ?? absences.get(key);
  const triedAt = boundedMap<number>(10_000, () => 1);
  /** The latest change that this process has asked upstream about, by key. */
  const askedAbout = boundedMap<number>(10_000, () => 1);
  const takeSpareRead = spareReads(monotonic);
  const lookUps = new Map<string, Promise<Remembered | undefined>>();
  const refreshes = new Map<string, Promise<Copy<unknown>>>();
  /** The refreshes for the sake of a change, by its time and the key. */
  const afterChange = new Map<string, Promise<Copy<unknown>>>();
  const time = () => now().getTime();
  /**
   * Returns the age of a copy. One from the future was dated by a clock that has been set back since, so it may have
   * any age.
   */
  const ageOf = ({ checkedAt }: Copy<unknown>): number => {
    const age = time() - checkedAt;
    return age < -MAX_CLOCK_SKEW_SECONDS * 1000 ? Number.MAX_VALUE : Math.max(0, age);
  };
  /** Returns whether the copy is surely from after the change. The clocks of two machines may differ. */
  const isSince = ({ checkedAt }: Copy<unknown>, changedAt: number): boolean =>
    Math.min(checkedAt, time()) >= changedAt + MAX_CLOCK_SKEW_SECONDS * 1000;
  let lookUpsBegun = 0;
  const remember = (key: string, remembered: Remembered): void => {
    if ((recall(key)?.lookUp ?? 0) > remembered.lookUp) return;
    const isAbsence = remembered.tag === undefined;
    (isAbsence ? memory : absences).delete(key);
    (isAbsence ? absences : memory).set(key, remembered);
  };

  /** Returns the copy in the store. It does not parse the copy again while its tag stays the same. */
  async function lookUp(key: string): Promise<Remembered | undefined> {
    const lookUp = ++lookUpsBegun;
    const known = recall(key);
    const found = await records.get(key);
    if (found === undefined) return undefined;
    const readAt = monotonic();
    const remembered: Remembered =
      known?.tag === found.tag ? { ...known, readAt, lookUp } : { ...(await decode(found.body)), tag: found.tag, readAt, lookUp };
    remember(key, remembered);
    return remembered;
  }

  async function current(key: string, memoryMs: number): Promise<Copy<unknown> | undefined> {
    const known = recall(key);
    if (known !== undefined && monotonic() - known.readAt < memoryMs) return known.copy;
    try {
      return ((await singleFlight(lookUps, key, () => lookUp(key))) ?? known)?.copy;
    } catch (error) {
      onError?.(`record ${key}`, error);
      return known?.copy;
    }
  }

  /** Returns whether a refresh has ended just now, with or without success. */
  const isTriedLately = (key: string) =>
    !refreshes.has(key) && monotonic() - (triedAt.get(key) ?? Number.NEGATIVE_INFINITY) < REVALIDATE_MS;

  /** Fetches and stores a copy. The first process to store one wins, and all processes answer with that one. */
  async function refresh(key: string, load: Load<unknown>, isGoodEnough: (copy: Copy<unknown>) => boolean): Promise<Copy<unknown>> {
    triedAt.set(key, monotonic());
    const before = await lookUp(key);
    if (before !== undefined && isGoodEnough(before.copy)) return before.copy;
    const value = await load(before?.copy.value);
    const copy = { value, checkedAt: time() };
    if (value === undefined && before === undefined) {
      // Not stored: names that never existed would fill the store.
      remember(key, { copy, tag: undefined, size: 0, readAt: monotonic(), lookUp: ++lookUpsBegun });
      return copy;
    }
    const body = await packText(await textOf({ checkedAt: copy.checkedAt, value: value ?? null } satisfies Stored));
    await records.replace(key, body, before?.tag);
    const winner = await lookUp(key);
    if (winner === undefined) throw new Error(`the store lost ${key}`);
    return winner.copy;
  }

  return {
    async read<T>(
      key: string,
      what: string,
      load: Load<T>,
      { maxAgeMs, maxStaleMs, memoryMs, fresh = false, changedAt = Number.NEGATIVE_INFINITY, isPartial = () => false }: DocumentPolicy<T>,
    ) {
      const copy = (await current(key, memoryMs ?? Number.POSITIVE_INFINITY)) as Copy<T> | undefined;
      const age = copy === undefined ? Number.POSITIVE_INFINITY : ageOf(copy);
      const isGood = copy?.value !== undefined && !isPartial(copy.value);
      const wanted = fresh || !isGood ? Math.min(REVALIDATE_MS, maxAgeMs) : maxAgeMs;
      const isOutdated = copy !== undefined && !isSince(copy, changedAt) && (askedAbout.get(key) ?? Number.NEGATIVE_INFINITY) < changedAt;
      // Upstream may have published it a moment ago. After a change, the copy that was read for its sake is the answer.
      const isSpare = fresh && changedAt === Number.NEGATIVE_INFINITY && age >= JUST_NOW_MS && age < wanted && takeSpareRead(key);
      if (copy !== undefined && !isOutdated && !isSpare && (age < wanted || isTriedLately(key))) return copy;
      const enough = isSpare ? JUST_NOW_MS : wanted;
      const begin = (isGoodEnough: (found: Copy<unknown>) => boolean) =>
        singleFlight(refreshes, key, () => {
          const refreshed = refresh(key, load as Load<unknown>, isGoodEnough);
          refreshed.catch((error: unknown) => onError?.(what, error));
          return refreshed;
        });
      const beginAfterChange = async () => {
        // A refresh that began before upstream changed may end with what upstream had then.
        await refreshes.get(key)?.catch(() => undefined);
        try {
          return await begin((found) => isSince(found, changedAt));
        } finally {
          askedAbout.set(key, Math.max(changedAt, askedAbout.get(key) ?? changedAt));
        }
      };
      const flight = (
        isOutdated ? singleFlight(afterChange, `${changedAt} ${key}`, beginAfterChange) : begin((found) => ageOf(found) < enough)
      ) as Promise<Copy<T>>;
      // `onError` has the failure. Without this, a refresh in the background that fails would be an unhandled
      // rejection.
      flight.catch(() => {});
      if (copy !== undefined && isGood && !fresh && !isOutdated && age < maxStaleMs) return copy;
      try {
        return await withTimeout(waitMs, flight);
      } catch (cause) {
        if (copy !== undefined) return copy;
        throw new UpstreamUnavailableError(what, cause instanceof Error ? cause.message : String(cause), { cause });
      }
    },
  };
}

/**
 * Returns the copy in a stored body. An unreadable body counts as a very old "not there", so the next refresh replaces
 * it.
 */
async function decode(body: string): Promise<{ copy: Copy<unknown>; size: number }> {
  try {
    const text = await unpackText(body);
    const { checkedAt, value } = (await documentOf(text)) as Stored;
    return { copy: { value: value ?? undefined, checkedAt }, size: text.length };
  } catch {
    return { copy: { value: undefined, checkedAt: 0 }, size: 0 };
  }
}
