import type { Build } from '#core/build/build.ts';
import type { BuildView } from '#core/build/build-status.ts';
import type { Submitted } from '#core/build/submit-build.ts';
import { BuildNotFoundError } from '#core/errors.ts';
import type { RequestHash } from '#core/request/request-hash.ts';
import { type SimulatedProcess, START_MS } from '../process.ts';
import type { World } from '../world.ts';
import { faultOfResult } from './check-results.ts';

/** Checks what processes answer. */
export interface AnswerChecks {
  submitted(process: SimulatedProcess, submitted: Submitted, sinceMs: number): void;
  answer(process: SimulatedProcess, hash: RequestHash, get: () => Promise<BuildView>): Promise<BuildView>;
  /** The builds that clients were promised by a 202. */
  readonly accepted: ReadonlySet<RequestHash>;
}

/** How much older than the request a row, or a place in the queue, may be from which it is answered. */
const BEHIND_MS = 1_000;
/** How far ahead of the true time a process may be that judges whether a build has expired. */
const SKEW_MS = 60_000;

export function answerChecks(world: World): AnswerChecks {
  const accepted = new Set<RequestHash>();
  /** The claims that were answered as new. */
  const begun = new Set<number | undefined>();
  /** The places that were answered for a claim. */
  const places = new Map<number, { readonly place: number; readonly sinceMs: number; readonly answeredMs: number }[]>();
  const time = () => world.scheduler.time();
  const rowsSince = (hash: RequestHash, sinceMs: number) => [
    world.truth.table.asOf(hash, sinceMs),
    ...world.truth.table
      .writesOf(hash)
      .filter((write) => write.timeMs >= sinceMs)
      .map(({ after }) => after),
  ];

  const checkPlace = (view: BuildView, sinceMs: number) => {
    if (view.state !== 'queued') return;
    const { ticket = 0, hash } = view.build;
    const known = places.get(ticket) ?? [];
    places.set(ticket, known);
    // A slow answer may come after one that was asked for later, and another process may read places a moment behind.
    const last = known.findLast(({ answeredMs }) => answeredMs <= sinceMs - BEHIND_MS);
    known.push({ place: view.position, sinceMs, answeredMs: time() });
    if (last === undefined || view.position <= last.place) return;
    const hasReturned = [...world.truth.table.hashes()].some((other) =>
      world.truth.table
        .writesOf(other)
        .some(
          ({ before, after, timeMs }) =>
            timeMs >= last.sinceMs - BEHIND_MS &&
            before?.state === 'building' &&
            after?.state === 'queued' &&
            (after.ticket ?? 0) <= ticket,
        ),
    );
    if (!hasReturned) world.breaks('I6', `the place of ${hash.slice(0, 6)} grew from ${last.place} to ${view.position}`);
  };
  const checkView = (process: SimulatedProcess, view: BuildView, sinceMs: number) => {
    checkPlace(view, sinceMs);
    if (view.state === 'failed' && view.document !== undefined && JSON.parse(view.document).status !== 500)
      world.breaks('I4', `${process.name} answers a failed build with ${JSON.parse(view.document).status}`);
    if (view.state !== 'done') return;
    const { build, document } = view;
    if (process.now().toISOString() >= build.expiresAt) world.breaks('expiry', `${process.name} answers 200 after ${build.expiresAt}`);
    const { status, bin_dir: binDir } = JSON.parse(document);
    if (status !== 200 || binDir !== build.binDir) return world.breaks('I4', `${process.name} answers a done build with another document`);
    const fault = faultOfResult(world, document);
    if (fault !== undefined) world.breaks('I3', `${process.name} answers 200, and ${fault}`);
  };

  return {
    accepted,
    submitted: (process, { outcome, view }, sinceMs) => {
      const { hash, ticket } = view.build;
      if (view.state === 'queued' || view.state === 'building') accepted.add(hash);
      checkView(process, view, sinceMs);
      if (outcome !== 'new') return;
      if (begun.has(ticket)) world.breaks('I1', `two requests began the build of ${hash.slice(0, 6)} with ticket ${ticket}`);
      begun.add(ticket);
    },
    answer: async (process, hash, get) => {
      const sinceMs = time();
      try {
        const view = await get();
        checkView(process, view, sinceMs);
        return view;
      } catch (error) {
        if (error instanceof BuildNotFoundError && !rowsSince(hash, sinceMs - BEHIND_MS).some((row) => isUnanswered(row, time())))
          world.breaks('I2', `${process.name} answers 404 for ${hash.slice(0, 6)}, which is there`);
        throw error;
      }
    },
  };
}

/** Whether a row has no answer, by the clock of any process. */
const isUnanswered = (row: Build | undefined, timeMs: number): boolean =>
  row === undefined || row.state === 'expiring' || ('expiresAt' in row && Date.parse(row.expiresAt) <= START_MS + timeMs + SKEW_MS);
