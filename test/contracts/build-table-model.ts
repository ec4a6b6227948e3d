import * as fc from 'fast-check';
import { expect } from 'vitest';
import type { Build, ExpiringBuild } from '#core/build/build.ts';
import type { BuildTable } from '#core/build/ports.ts';
import type { RequestHash } from '#core/request/request-hash.ts';
import { at, freshBinDir, freshHash, iso, queued, sampleOrder } from './sample-builds.ts';

const OWNERS = ['a', 'b'] as const;
const TIMES = [0, 1, 2, 3] as const;

/** Few owners and times, so that interesting coincidences happen often. */
const time = fc.constantFrom(...TIMES);
const shape = fc.record({
  state: fc.constantFrom('queued', 'building', 'done', 'failed', 'cancelled', 'expiring'),
  owner: fc.constantFrom(...OWNERS),
  since: time,
  until: time,
  cached: fc.boolean(),
});
type Shape = typeof shape extends fc.Arbitrary<infer T> ? T : never;

/** A command. Its `from` is the row as it is (undefined), or as a caller may believe it to be. */
const operation = fc.oneof(
  fc.record({ kind: fc.constant('claim'), now: time }),
  fc.record({
    kind: fc.constant('transition'),
    from: fc.option(shape, { nil: undefined, freq: 2 }),
    to: shape,
    lapsedAt: fc.option(time, { nil: undefined, freq: 1 }),
  }),
  fc.record({ kind: fc.constant('remove'), owner: fc.constantFrom(...OWNERS) }),
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

const binDir = freshBinDir();

function buildOfShape(hash: RequestHash, { state, owner, since, until, cached }: Shape): Build {
  const base = { hash, enqueuedAt: iso(0), attempt: since, isPrivate: cached, correlationId: 'model' };
  const lease = { owner, expiresAt: iso(until) };
  switch (state) {
    case 'queued':
      return { ...base, state, queuedAt: iso(since), ...(cached && { sentAt: iso(until) }) };
    case 'building':
      return { ...base, state, startedAt: iso(since), step: 'init', lease, binDir };
    case 'done':
      return { ...base, state, startedAt: iso(0), finishedAt: iso(since), binDir, expiresAt: iso(until) };
    case 'failed':
      return {
        ...base,
        state,
        finishedAt: iso(since),
        detail: 'x',
        cached,
        ...(!cached && { upstreamChanged: since > 1 }),
        expiresAt: iso(until),
      };
    case 'cancelled':
      return { ...base, state, finishedAt: iso(since), expiresAt: iso(until) };
    case 'expiring':
      return { ...base, state, lease };
  }
}

const FOLLOWERS: Readonly<Record<Build['state'], string>> = {
  queued: 'queued building cancelled failed',
  building: 'building queued done failed cancelled',
  done: 'expiring',
  failed: 'expiring',
  cancelled: 'expiring',
  expiring: 'expiring',
};

const field = (build: Build, name: string): unknown => (build as unknown as Record<string, unknown>)[name];

function describes(from: Build, row: Build): boolean {
  const owner = (build: Build) => ('lease' in build ? build.lease.owner : undefined);
  return (
    from.state === row.state &&
    owner(from) === owner(row) &&
    field(from, 'finishedAt') === field(row, 'finishedAt') &&
    (row.state !== 'queued' || field(from, 'queuedAt') === row.queuedAt)
  );
}

/** The simplest model of a `BuildTable` with one hash. */
function model() {
  let row: Build | undefined;
  return {
    get: () => row,
    set: (build: Build | undefined) => {
      row = build;
    },
    isClaimable(now: string): boolean {
      if (row === undefined || row.state === 'cancelled' || row.state === 'expiring') return true;
      if (row.state === 'failed' && !row.cached) return true;
      return (row.state === 'done' || row.state === 'failed') && row.expiresAt <= now;
    },
    isMovable(from: Build, to: Build, lapsedAt: string | undefined): boolean {
      if (row === undefined || !describes(from, row)) return false;
      if (!FOLLOWERS[from.state].split(' ').includes(to.state)) return false;
      return lapsedAt === undefined || ('lease' in row && row.lease.expiresAt <= lapsedAt);
    },
  };
}

async function check(table: BuildTable, operations: readonly Operation[]): Promise<void> {
  const hash = freshHash();
  const expected = model();
  let lastTicket = Number.NEGATIVE_INFINITY;
  for (const step of operations) {
    const before = expected.get();
    switch (step.kind) {
      case 'claim': {
        const won = expected.isClaimable(iso(step.now));
        const answer = await table.claim(queued(hash, step.now), sampleOrder(hash), at(step.now), { over: before });
        expect(answer.won).toBe(won);
        if (!won) expect(answer.current).toEqual(before);
        else {
          const ticket = answer.current.ticket ?? Number.NaN;
          expect(ticket).toBeGreaterThan(lastTicket);
          lastTicket = ticket;
          expected.set({ ...queued(hash, step.now), ticket });
        }
        break;
      }
      case 'transition': {
        const from = step.from ? buildOfShape(hash, step.from) : (before ?? queued(hash));
        const to = buildOfShape(hash, step.to);
        const isMoved = expected.isMovable(from, to, step.lapsedAt === undefined ? undefined : iso(step.lapsedAt));
        if (isMoved) expected.set({ ...to, ticket: lastTicket });
        const answer = await table.transition(from, to, step.lapsedAt === undefined ? {} : { lapsedAt: at(step.lapsedAt) });
        expect(answer).toEqual({ moved: isMoved, current: expected.get() });
        break;
      }
      case 'remove': {
        const from = buildOfShape(hash, { state: 'expiring', owner: step.owner, since: 0, until: 0, cached: false }) as ExpiringBuild;
        const isRemoved = before !== undefined && describes(from, before);
        if (isRemoved) expected.set(undefined);
        expect(await table.remove(from)).toBe(isRemoved);
        break;
      }
    }
    expect(await table.get(hash)).toEqual(expected.get());
    expect(await table.order(hash)).toEqual(expected.get() && sampleOrder(hash));
  }
}

export async function checkRandomHistories(table: BuildTable): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 1, maxLength: 25 }), (operations) => check(table, operations)),
    { numRuns: 60 },
  );
}
