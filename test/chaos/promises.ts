import { type Answer, answerFaults, isFailureOfBuild } from './answer-faults.ts';
import type { Journal } from './journal.ts';
import type { ChaosRequest } from './requests.ts';

/** An answer with the times between which the server gave it, in milliseconds of one clock that is never set. */
export interface Sighting extends Answer {
  readonly sentAt: number;
  readonly at: number;
}

/** One accepted build: the same request, accepted again later, is another one. */
export interface SeenBuild {
  readonly hash: string;
  readonly enqueuedAt: string;
  readonly request: ChaosRequest;
  /** `unseen`: it has ended, and nobody saw how: it had expired, or the next build of its request had begun. */
  state: 'queued' | 'building' | 'done' | 'failed' | 'unseen';
  /** When the first answer about it came, and when its request was sent. */
  readonly firstAt: number;
  readonly firstSentAt: number;
  lastAt: number;
  /** When the first answer came that said how it had ended. */
  endedAt?: number;
  /** When an answer came that there is no such build. */
  goneAt?: number;
  /** The text of the result, once it was seen. */
  result?: string;
  place?: { readonly ahead: number; readonly at: number };
}

export interface Promises {
  /** Called before a post is sent. */
  posts(request: ChaosRequest): void;
  /** Called with each answer about a build. Returns the build that it is about. */
  saw(request: ChaosRequest, sighting: Sighting): SeenBuild | undefined;
  /** Called when builds may return to the queue or a result may expire early: a stop, a retry, a step of the clock. */
  disturbed(what: 'queue' | 'clock'): void;
  /** Judges the places in the queue that grew; `settled` of them a while later. */
  judgePlaces(settled?: boolean): void;
  builds(): readonly SeenBuild[];
  /** The builds that have not ended. */
  open(): readonly SeenBuild[];
}

export interface PromisesOptions {
  readonly journal: Journal;
  readonly time: () => number;
  /** The shortest time for which any end of a build is remembered. */
  readonly shortestLifeMs: number;
}

const first = ({ sentAt, at }: Sighting) => ({ firstSentAt: sentAt, firstAt: at, lastAt: at });

/** How long after a place grew the log may still say why. */
const LOG_LATE_MS = 3_000;

/**
 * Checks what clients see against the promises of docs/architecture.md. Two answers whose requests overlapped in time
 * may have been given in either order, and are never held against each other.
 */
export function promises({ journal, time, shortestLifeMs }: PromisesOptions): Promises {
  /** The builds of each hash, in the order in which they were first seen. */
  const byHash = new Map<string, SeenBuild[]>();
  /** The last answer of each hash, so that only changes are noted. */
  const saidLast = new Map<string, string>();
  const postedAt = new Map<number, number>();
  const disturbedAt = { queue: [] as number[], clock: [] as number[] };
  let grown: { build: SeenBuild; from: number; to: number; since: number; at: number }[] = [];

  const broken = (promise: string, hash: string, text: string) => journal.broken({ promise, hash, text });
  const isOpen = ({ state }: SeenBuild) => state === 'queued' || state === 'building';
  const happened = (times: readonly number[], from: number, to: number) => times.some((at) => at >= from && at <= to);

  /** Whether an end that nobody saw may have been forgotten already. */
  const mayBeForgotten = (build: SeenBuild, at: number) =>
    at - build.lastAt >= shortestLifeMs || happened(disturbedAt.clock, build.lastAt - 1_000, at);

  const sawGone = (hash: string, { sentAt, at }: Sighting) => {
    const build = byHash.get(hash)?.at(-1);
    if (build === undefined || sentAt <= build.firstAt) return;
    if (isOpen(build)) {
      if (!mayBeForgotten(build, at)) broken('I2', hash, `the build accepted at ${build.enqueuedAt} is gone, and was ${build.state}`);
      endUnseen(build, at);
    } else if (build.state === 'done' && build.request.kind === 'kept' && build.goneAt === undefined)
      broken('I3', hash, `a result is gone that is to be kept for days, of the build accepted at ${build.enqueuedAt}`);
    build.goneAt ??= at;
  };

  const newBuild = (hash: string, enqueuedAt: string, request: ChaosRequest, sighting: Sighting, known: SeenBuild[]): SeenBuild => {
    const build: SeenBuild = { hash, enqueuedAt, request, state: 'queued', ...first(sighting) };
    const before = known.at(-1);
    known.push(build);
    byHash.set(hash, known);
    if (before !== undefined && (postedAt.get(request.number) ?? 0) < before.firstAt && sighting.sentAt > before.firstAt)
      broken('I5', hash, `a new build began at ${enqueuedAt} that no client asked for`);
    return build;
  };

  /** Judges an answer about a build after which another of the same hash was seen first. */
  const sawLater = (build: SeenBuild, known: SeenBuild[], { sentAt }: Sighting) => {
    const later = known.at(-1);
    if (later === undefined || later === build || sentAt <= later.firstAt) return;
    if (later.firstSentAt > build.firstAt) {
      const text = `the build accepted at ${build.enqueuedAt} is back after that accepted at ${later.enqueuedAt} was seen`;
      return broken('I5', build.hash, text);
    }
    // Their first answers overlapped, so this build is the later one.
    known.splice(known.indexOf(build), 1);
    known.push(build);
  };

  const endUnseen = (build: SeenBuild, at: number) => {
    if (!isOpen(build)) return;
    build.state = 'unseen';
    build.endedAt ??= at;
  };

  const sawPlace = (build: SeenBuild, { body, sentAt, at }: Sighting) => {
    const ahead = Number(body['queue_position']);
    const { place } = build;
    if (place !== undefined && sentAt < place.at) return;
    if (place !== undefined && ahead > place.ahead) grown.push({ build, from: place.ahead, to: ahead, since: place.at - LOG_LATE_MS, at });
    build.place = { ahead, at };
  };

  const sawState = (build: SeenBuild, sighting: Sighting) => {
    const { status, body, sentAt, at } = sighting;
    const state = status === 200 ? 'done' : status === 500 ? 'failed' : body['detail'] === 'queued' ? 'queued' : 'building';
    const { hash, enqueuedAt } = build;
    const isEnd = state === 'done' || state === 'failed';
    const wasEnd = build.state === 'done' || build.state === 'failed';
    if (isEnd && wasEnd && state !== build.state)
      broken('I4', hash, `the build accepted at ${enqueuedAt} is both ${build.state} and ${state}`);
    const endedAt = Math.min(build.endedAt ?? Number.POSITIVE_INFINITY, build.goneAt ?? Number.POSITIVE_INFINITY);
    if (!isEnd && sentAt > endedAt) broken('I5', hash, `the build accepted at ${enqueuedAt} went back from ${build.state} to ${state}`);
    if (state === 'done') {
      const result = JSON.stringify(body);
      if (build.result !== undefined && build.result !== result) broken('I4', hash, `two results of the build accepted at ${enqueuedAt}`);
      build.result ??= result;
    }
    if (isEnd) build.endedAt = Math.min(build.endedAt ?? at, at);
    if (isEnd || endedAt === Number.POSITIVE_INFINITY) build.state = state;
    build.lastAt = Math.max(build.lastAt, at);
    if (state === 'queued') sawPlace(build, sighting);
    else delete build.place;
  };

  return {
    posts: ({ number }) => void postedAt.set(number, time()),
    saw: (request, sighting) => {
      const { status, body } = sighting;
      for (const { promise, text } of answerFaults(sighting, request)) broken(promise, sighting.hash ?? String(body['request_hash']), text);
      if (status === 404 && sighting.hash !== undefined) sawGone(sighting.hash, sighting);
      if (status !== 200 && status !== 202 && !isFailureOfBuild(sighting)) return undefined;
      const hash = String(body['request_hash']);
      if (sighting.hash !== undefined && sighting.hash !== hash) broken('I4', sighting.hash, `the answer is about another build: ${hash}`);
      const enqueuedAt = String(body['enqueued_at']);
      const known = byHash.get(hash) ?? [];
      const build = known.find((one) => one.enqueuedAt === enqueuedAt) ?? newBuild(hash, enqueuedAt, request, sighting, known);
      sawLater(build, known, sighting);
      sawState(build, sighting);
      if (known.at(-1) === build)
        for (const earlier of known.slice(0, -1)) if (sighting.sentAt > earlier.firstAt) endUnseen(earlier, sighting.at);
      const said = `${status} ${body['detail']}, accepted at ${enqueuedAt}`;
      if (sighting.hash === undefined || saidLast.get(hash) !== said)
        journal.note(`${sighting.hash === undefined ? 'POST' : 'GET'} ${said}`, hash);
      saidLast.set(hash, said);
      return build;
    },
    disturbed: (what) => void disturbedAt[what].push(time()),
    judgePlaces: (settled = false) => {
      const due = grown.filter(({ at }) => settled || time() - at > LOG_LATE_MS);
      grown = grown.filter((one) => !due.includes(one));
      for (const { build, from, to, since, at } of due)
        if (!happened(disturbedAt.queue, since, at + LOG_LATE_MS))
          broken('I6', build.hash, `the place in the queue grew from ${from} to ${to}, and no build had returned to the queue`);
    },
    builds: () => [...byHash.values()].flat(),
    open: () => [...byHash.values()].flat().filter(isOpen),
  };
}
