import { MAX_CLOCK_SKEW_SECONDS } from '#core/clock-skew.ts';
import { UpstreamUnavailableError } from '#core/errors.ts';
import type { Clock, Monotonic, RecordStore } from '#core/stores.ts';
import { boundedMap } from '#lib/bounded-map.ts';
import { withTimeout } from '#lib/with-timeout.ts';
import { documentOf, packText, textOf, unpackText } from './packed-text.ts';
import { singleFlight } from './single-flight.ts';

/** When a copy is good enough. */
export interface DocumentPolicy<T> {
  /** Up to this age it is not looked at again. */
  readonly maxAgeMs: number;
  /** Up to this age it is answered while a new one is fetched behind the caller's back; beyond, the caller waits. */
  readonly maxStaleMs: number;
  /** How long the memory may lag behind the shared store; absent: as long as the copy is not due. */
  readonly memoryMs?: number;
  /** The caller is about to say "unknown": ask upstream first, unless that was done just now. */
  readonly fresh?: boolean;
  /** Whether parts of it could not be read: then it is as good as an answer of "unknown". */
  readonly isPartial?: (value: T) => boolean;
}

/** A value as of `checkedAt`; `undefined`: upstream does not have it. */
interface Copy<T> {
  readonly value: T | undefined;
  /** Milliseconds since the epoch. */
  readonly checkedAt: number;
}

/** Asks upstream. `undefined` is an answer ("not there"); throwing is none, and keeps the previous value. */
type Load<T> = (previous: T | undefined) => Promise<T | undefined>;

export interface SharedDocuments {
  /**
   * Memory, then shared store, then upstream. Never throws once a copy has been seen, by any process; without one it throws
   * `UpstreamUnavailableError`. What another process stored first wins over what was fetched here.
   */
  read<T>(key: string, what: string, load: Load<T>, policy: DocumentPolicy<T>): Promise<Copy<T>>;
}

export interface SharedDocumentsOptions {
  readonly records: RecordStore;
  /** What the store's copies are dated by. */
  readonly now: Clock;
  /** What the memory is dated by. */
  readonly monotonic: Monotonic;
  /** How long a caller waits for upstream. */
  readonly waitMs: number;
  /** Told of each refresh that failed. */
  readonly onError?: ((what: string, error: unknown) => void) | undefined;
}

/** An answer of "unknown", or with parts missing, is checked again after this long, and upstream is not asked more often about one document. */
const REVALIDATE_MS = 30_000;
const MAX_TEXT_IN_MEMORY = 32 * 1024 * 1024;
/** Whatever is remembered weighs something, also that a name does not exist. */
const LEAST_WEIGHT = 512;

interface Remembered {
  readonly copy: Copy<unknown>;
  readonly tag: string | undefined;
  readonly size: number;
  readonly readAt: number;
  /** Look-ups are numbered as they begin: what a later one found stays when an earlier one comes to its end after it. */
  readonly lookUp: number;
}

interface Stored {
  readonly checkedAt: number;
  /** `null`: upstream does not have it. */
  readonly value: unknown;
}

export function sharedDocuments({ records, now, monotonic, waitMs, onError }: SharedDocumentsOptions): SharedDocuments {
  const memory = boundedMap<Remembered>(MAX_TEXT_IN_MEMORY, ({ size }) => size + LEAST_WEIGHT);
  const triedAt = boundedMap<number>(10_000, () => 1);
  const lookUps = new Map<string, Promise<Remembered | undefined>>();
  const refreshes = new Map<string, Promise<Copy<unknown>>>();
  const time = () => now().getTime();
  /** A copy from a time that is still to come was dated by a clock that has been set back since: it may be of any age. */
  const ageOf = ({ checkedAt }: Copy<unknown>): number => {
    const age = time() - checkedAt;
    return age < -MAX_CLOCK_SKEW_SECONDS * 1000 ? Number.MAX_VALUE : Math.max(0, age);
  };
  let lookUpsBegun = 0;
  const remember = (key: string, remembered: Remembered): void => {
    if ((memory.get(key)?.lookUp ?? 0) <= remembered.lookUp) memory.set(key, remembered);
  };

  /** What the store has; the parsed value is kept while the tag stays. */
  async function lookUp(key: string): Promise<Remembered | undefined> {
    const lookUp = ++lookUpsBegun;
    const known = memory.get(key);
    const found = await records.get(key);
    if (found === undefined) return undefined;
    const readAt = monotonic();
    const remembered: Remembered =
      known?.tag === found.tag ? { ...known, readAt, lookUp } : { ...(await decode(found.body)), tag: found.tag, readAt, lookUp };
    remember(key, remembered);
    return remembered;
  }

  async function current(key: string, memoryMs: number): Promise<Copy<unknown> | undefined> {
    const known = memory.get(key);
    if (known !== undefined && monotonic() - known.readAt < memoryMs) return known.copy;
    try {
      return ((await singleFlight(lookUps, key, () => lookUp(key))) ?? known)?.copy;
    } catch (error) {
      onError?.(`record ${key}`, error);
      return known?.copy;
    }
  }

  /** Upstream was asked just now and had nothing new to say, or nothing at all. */
  const isTriedLately = (key: string) =>
    !refreshes.has(key) && monotonic() - (triedAt.get(key) ?? Number.NEGATIVE_INFINITY) < REVALIDATE_MS;

  /** Fetches and stores; of several processes the first to store wins, and all answer with what it stored. */
  async function refresh(key: string, load: Load<unknown>, goodEnoughMs: number): Promise<Copy<unknown>> {
    triedAt.set(key, monotonic());
    const before = await lookUp(key);
    if (before !== undefined && ageOf(before.copy) < goodEnoughMs) return before.copy;
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
      { maxAgeMs, maxStaleMs, memoryMs, fresh = false, isPartial = () => false }: DocumentPolicy<T>,
    ) {
      const copy = (await current(key, memoryMs ?? Number.POSITIVE_INFINITY)) as Copy<T> | undefined;
      const age = copy === undefined ? Number.POSITIVE_INFINITY : ageOf(copy);
      const isGood = copy?.value !== undefined && !isPartial(copy.value);
      const wanted = fresh || !isGood ? Math.min(REVALIDATE_MS, maxAgeMs) : maxAgeMs;
      if (copy !== undefined && (age < wanted || isTriedLately(key))) return copy;
      const flight = singleFlight(refreshes, key, () => {
        const refreshed = refresh(key, load as Load<unknown>, wanted);
        refreshed.catch((error: unknown) => onError?.(what, error));
        return refreshed;
      }) as Promise<Copy<T>>;
      // Where nobody waits for it, nobody else hears of its failure.
      flight.catch(() => {});
      if (copy !== undefined && isGood && !fresh && age < maxStaleMs) return copy;
      try {
        return await withTimeout(waitMs, flight);
      } catch (cause) {
        if (copy !== undefined) return copy;
        throw new UpstreamUnavailableError(what, cause instanceof Error ? cause.message : String(cause), { cause });
      }
    },
  };
}

/** A body that cannot be read any more is as good as a very old "not there": it is fetched anew and replaced. */
async function decode(body: string): Promise<{ copy: Copy<unknown>; size: number }> {
  try {
    const text = await unpackText(body);
    const { checkedAt, value } = (await documentOf(text)) as Stored;
    return { copy: { value: value ?? undefined, checkedAt }, size: text.length };
  } catch {
    return { copy: { value: undefined, checkedAt: 0 }, size: 0 };
  }
}
