import { beforeAll, describe, expect, it } from 'vitest';
import type { Build, BuildState } from '#core/build/build.ts';
import type { BuildTable } from '#core/build/ports.ts';
import type { RequestHash } from '#core/request/request-hash.ts';
import { checkRandomHistories } from './build-table-model.ts';
import { claimed, expiringRow, moved, rowIn, started } from './drive-build.ts';
import { at, cancelled, done, expiring, failed, freshHash, iso, queued, requeued, running, sampleOrder } from './sample-builds.ts';

const STATES = ['queued', 'building', 'done', 'failed', 'cancelled', 'expiring'] as const;

/** The transitions of docs/architecture.md (States), written out again so that the contract does not repeat a mistake in core. */
const ALLOWED = new Set([
  'queued→queued',
  'queued→building',
  'queued→cancelled',
  'queued→failed',
  'building→building',
  'building→queued',
  'building→done',
  'building→failed',
  'building→cancelled',
  'done→expiring',
  'failed→expiring',
  'cancelled→expiring',
  'expiring→expiring',
]);

/** A build in `state` that could follow `from`. */
function next(from: Build, state: BuildState): Build {
  switch (state) {
    case 'queued':
      return requeued(from, 7);
    case 'building':
      return running(from, 'next');
    case 'done':
      return done(running(from, 'next'));
    case 'failed':
      return failed(from, false);
    case 'cancelled':
      return cancelled(from);
    case 'expiring':
      return expiring(from, 'next');
  }
}

/** A `from` whose lease owner, queueing time or finishing time differs from that of the row. */
function elsewhere(build: Build): Build {
  switch (build.state) {
    case 'queued':
      return { ...build, queuedAt: iso(77) };
    case 'building':
    case 'expiring':
      return { ...build, lease: { ...build.lease, owner: 'somebody else' } };
    case 'done':
    case 'failed':
    case 'cancelled':
      return { ...build, finishedAt: iso(77) };
  }
}

/** The contract of every `BuildTable` (core/build/ports.ts). `makeTable` may return the same, shared table each time. */
export function buildTableContract(name: string, makeTable: () => BuildTable | Promise<BuildTable>): void {
  describe(`build table: ${name}`, () => {
    let table: BuildTable;
    beforeAll(async () => {
      table = await makeTable();
    });

    const claim = (hash: RequestHash, minutes: number, packages?: string[], over?: Build) =>
      table.claim(queued(hash, minutes), sampleOrder(hash, packages), at(minutes), { over });

    it('has no row for a hash that was never claimed', async () => {
      const hash = freshHash();
      expect(await table.get(hash)).toBeUndefined();
      expect(await table.order(hash)).toBeUndefined();
      expect(await table.transition(queued(hash), running(queued(hash), 'a'))).toEqual({ moved: false, current: undefined });
      expect(await table.remove(expiring(queued(hash), 'a'))).toBe(false);
    });

    it('keeps the claimed build and its order, every character of it', async () => {
      const hash = freshHash();
      const { won, current } = await claim(hash, 0);
      expect(won).toBe(true);
      expect(current).toEqual({ ...queued(hash), ticket: expect.any(Number) });
      expect(await table.get(hash)).toEqual(current);
      expect(await table.order(hash)).toEqual(sampleOrder(hash));
    });

    it('lets one of 50 equal submits win, and shows the others its row', async () => {
      const hash = freshHash();
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, i) =>
          table.claim({ ...queued(hash), correlationId: `caller-${i}` }, sampleOrder(hash, [`package-${i}`]), at(0)),
        ),
      );
      const winners = answers.filter(({ won }) => won);
      expect(winners).toHaveLength(1);
      for (const { current } of answers) expect(current).toEqual(winners[0]?.current);
      const winner = winners[0]?.current.correlationId.replace('caller', 'package') ?? '';
      expect((await table.order(hash))?.request.packages).toEqual([winner]);
    });

    it('gives later claims higher tickets, whatever ticket they bring', async () => {
      const tickets: number[] = [];
      for (let i = 0; i < 5; i += 1) {
        const hash = freshHash();
        const { current } = await table.claim({ ...queued(hash), ticket: 3 }, sampleOrder(hash), at(0));
        tickets.push(current.ticket ?? Number.NaN);
      }
      expect(tickets).toEqual([...new Set(tickets)].sort((a, b) => a - b));
    });

    it.each(['queued', 'building'] as const)('refuses to claim a %s build, however old', async (state) => {
      const row = await rowIn(table, state);
      expect(await claim(row.hash, 1_000_000, ['other'], row)).toEqual({ won: false, current: row });
      expect(await table.get(row.hash)).toEqual(row);
      expect(await table.order(row.hash)).toEqual(sampleOrder(row.hash));
    });

    it.each(['done', 'failed'] as const)('refuses to claim a %s build until it expires', async (state) => {
      const row = await rowIn(table, state, 'owner', 100);
      expect(await claim(row.hash, 99, ['other'], row)).toEqual({ won: false, current: row });
      expect(await table.order(row.hash)).toEqual(sampleOrder(row.hash));
    });

    it.each([
      ['an expired done', (): Promise<Build> => rowIn(table, 'done', 'owner', 100)],
      ['an expired failed', (): Promise<Build> => rowIn(table, 'failed', 'owner', 100)],
      ['a cancelled', (): Promise<Build> => rowIn(table, 'cancelled', 'owner', 1_000)],
      ['an expiring', (): Promise<Build> => rowIn(table, 'expiring')],
      [
        'a failed and not cached',
        async (): Promise<Build> => {
          const build = await claimed(table);
          return moved(table, build, failed(build, false, 1_000));
        },
      ],
    ])('starts %s build anew: new order, new ticket, nothing of the old', async (_, makeRow) => {
      const row = await makeRow();
      const answers = await Promise.all(Array.from({ length: 10 }, () => claim(row.hash, 100, ['anew'], row)));
      expect(answers.filter(({ won }) => won)).toHaveLength(1);
      const current = await table.get(row.hash);
      expect(current).toEqual({ ...queued(row.hash, 100), ticket: expect.any(Number) });
      expect(current?.ticket).toBeGreaterThan(row.ticket ?? Number.POSITIVE_INFINITY);
      expect(await table.order(row.hash)).toEqual(sampleOrder(row.hash, ['anew']));
      expect(await table.transition(row, next(row, 'expiring'))).toEqual({ moved: false, current });
    });

    it.each(STATES)('refuses to replace a %s build for a caller that has not seen it, or has seen another state of it', async (state) => {
      const row = await rowIn(table, state, 'owner', 100);
      const others = STATES.filter((other) => other !== state).map((other) => next(row, other));
      for (const over of [undefined, elsewhere(row), ...others])
        expect(await claim(row.hash, 1_000_000, ['other'], over)).toEqual({ won: false, current: row });
      expect(await table.order(row.hash)).toEqual(sampleOrder(row.hash));
    });

    it('creates a row for a caller whose row to replace was removed meanwhile', async () => {
      const row = await expiringRow(table, 'a');
      await table.remove(row);
      expect((await claim(row.hash, 50, undefined, row)).won).toBe(true);
    });

    describe.each(STATES)('from %s', (from) => {
      it.each(STATES)('to %s', async (to) => {
        const row = await rowIn(table, from);
        const target = next(row, to);
        const answer = await table.transition(row, target);
        const isAllowed = ALLOWED.has(`${from}→${to}`);
        const expected = isAllowed ? { ...target, ticket: row.ticket } : row;
        expect(answer).toEqual({ moved: isAllowed, current: expected });
        expect(await table.get(row.hash)).toEqual(expected);
        expect(await table.order(row.hash)).toEqual(sampleOrder(row.hash));
      });

      it.each(STATES.filter((to) => ALLOWED.has(`${from}→${to}`)))('not to %s when `from` no longer describes the row', async (to) => {
        const row = await rowIn(table, from);
        expect(await table.transition(elsewhere(row), next(row, to))).toEqual({ moved: false, current: row });
        for (const other of STATES.filter((state) => state !== from)) {
          expect(await table.transition(next(row, other), next(row, to))).toEqual({ moved: false, current: row });
        }
        expect(await table.get(row.hash)).toEqual(row);
      });
    });

    it('lets one of many runners take a build, and shows the others who did', async () => {
      const build = await claimed(table);
      const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => table.transition(build, running(build, `runner-${i}`))));
      const winners = answers.filter(({ moved }) => moved);
      expect(winners).toHaveLength(1);
      for (const { current } of answers) expect(current).toEqual(winners[0]?.current);
    });

    it('renews a lease and moves the step for its owner', async () => {
      const build = await started(table, 'a');
      const later = await moved(table, build, { ...build, step: 'building_image', lease: { owner: 'a', expiresAt: iso(20) } });
      expect(await table.get(build.hash)).toEqual(later);
      // The lease of `from` may be an earlier one of the same owner: only the owner counts.
      expect((await table.transition(build, done(build))).moved).toBe(true);
    });

    it('takes a lapsed lease over, and refuses its old owner everything afterwards', async () => {
      const old = await started(table, 'old', freshHash(), 10);
      expect(await table.transition(old, requeued(old, 9), { lapsedAt: at(9) })).toEqual({ moved: false, current: old });
      const returned = await table.transition(old, requeued(old, 10), { lapsedAt: at(10) });
      expect(returned).toEqual({ moved: true, current: { ...requeued(old, 10), ticket: old.ticket } });

      const refuse = async (current: Build | undefined) => {
        for (const to of [old, requeued(old, 11), done(old), failed(old, true), cancelled(old)])
          expect(await table.transition(old, to)).toEqual({ moved: false, current });
      };
      await refuse(returned.current);
      const taken = await moved(table, returned.current as Build, running(returned.current as Build, 'new'));
      await refuse(taken);
      const finished = await moved(table, taken, done(taken));
      await refuse(finished);
    });

    it('does not take a lease over that was renewed in the meantime', async () => {
      const seen = await started(table, 'a', freshHash(), 10);
      const renewed = await moved(table, seen, { ...seen, lease: { owner: 'a', expiresAt: iso(30) } });
      expect(await table.transition(seen, requeued(seen, 20), { lapsedAt: at(20) })).toEqual({ moved: false, current: renewed });
    });

    it('lets one of many sweepers take a lapsed lease over', async () => {
      const building = await started(table, 'lost', freshHash(), 10);
      const returns = Array.from({ length: 10 }, (_, i) => table.transition(building, requeued(building, 20 + i), { lapsedAt: at(20) }));
      expect((await Promise.all(returns)).filter(({ moved }) => moved)).toHaveLength(1);

      const leaving = await expiringRow(table, 'lost', 10);
      const overtakes = Array.from({ length: 10 }, (_, i) =>
        table.transition(leaving, expiring(leaving, `sweep-${i}`, 30), { lapsedAt: at(20) }),
      );
      expect((await Promise.all(overtakes)).filter(({ moved }) => moved)).toHaveLength(1);
      expect(await table.remove(leaving)).toBe(false);
    });

    it.each(['queued', 'done', 'failed', 'cancelled'] as const)('has no lease to lapse in %s', async (state) => {
      const row = await rowIn(table, state);
      const to = next(row, state === 'queued' ? 'building' : 'expiring');
      expect(await table.transition(row, to, { lapsedAt: at(1_000_000) })).toEqual({ moved: false, current: row });
    });

    it('marks a queued build as sent only for the same stay in the queue', async () => {
      const build = await claimed(table);
      const sent = await moved(table, build, { ...build, sentAt: iso(1) });
      expect(sent.sentAt).toBe(iso(1));
      const building = await moved(table, sent, running(sent, 'a'));
      const back = await moved(table, building, requeued(building, 3));
      // A late mark of the first stay must not claim that the second was sent.
      expect(await table.transition(build, { ...build, sentAt: iso(4) })).toEqual({ moved: false, current: back });
      expect(await table.get(build.hash)).not.toHaveProperty('sentAt');
    });

    it('keeps the ticket on return to the queue, even against the caller', async () => {
      const build = await started(table, 'a');
      const back = await moved(table, build, { ...requeued(build, 3), ticket: 1 });
      expect(back.ticket).toBe(build.ticket);
      expect(await table.get(build.hash)).toEqual({ ...requeued(build, 3), ticket: build.ticket });
    });

    it('removes an expiring row for its owner alone, order included', async () => {
      const row = await expiringRow(table, 'a');
      expect(await table.remove({ ...row, lease: { ...row.lease, owner: 'b' } })).toBe(false);
      expect(await table.get(row.hash)).toEqual(row);
      expect(await table.order(row.hash)).toEqual(sampleOrder(row.hash));

      const removals = await Promise.all(Array.from({ length: 5 }, () => table.remove(row)));
      expect(removals.filter(Boolean)).toHaveLength(1);
      expect(await table.get(row.hash)).toBeUndefined();
      expect(await table.order(row.hash)).toBeUndefined();
      expect((await claim(row.hash, 0)).won).toBe(true);
    });

    it('does not remove a row that was claimed again while it expired', async () => {
      const row = await expiringRow(table, 'a');
      const { current } = await claim(row.hash, 50, undefined, row);
      expect(await table.remove(row)).toBe(false);
      expect(await table.get(row.hash)).toEqual(current);
    });

    describe('answers a write again whose answer was lost:', () => {
      it('a claim is refused by the row that it has written', async () => {
        const hash = freshHash();
        const { current } = await claim(hash, 0);
        expect(await claim(hash, 0)).toEqual({ won: false, current });
        const over = await rowIn(table, 'cancelled');
        const { current: second } = await claim(over.hash, 5, ['other'], over);
        expect(await claim(over.hash, 5, ['other'], over)).toEqual({ won: false, current: second });
        expect(await table.order(over.hash)).toEqual(sampleOrder(over.hash, ['other']));
      });

      it.each(STATES.flatMap((from) => STATES.filter((to) => ALLOWED.has(`${from}→${to}`)).map((to) => [from, to] as const)))(
        'a transition from %s to %s finds what it has written',
        async (from, to) => {
          const row = await rowIn(table, from);
          const target = next(row, to);
          const { current } = await table.transition(row, target);
          expect(await table.transition(row, target)).toEqual({ moved: false, current });
          expect(await table.get(row.hash)).toEqual(current);
        },
      );

      it('a renewal, and the mark that a message was sent, are made again', async () => {
        const build = await claimed(table);
        for (let time = 0; time < 2; time += 1) await moved(table, build, { ...build, sentAt: iso(1) });
        const attempt = await moved(table, build, running(build, 'a'));
        const lease = { owner: 'a', expiresAt: iso(20) };
        for (let time = 0; time < 2; time += 1) await moved(table, attempt, { ...attempt, lease });
        expect(await table.get(build.hash)).toEqual({ ...attempt, lease });
      });

      it('a renewal that comes after a later one is refused if it says so', async () => {
        const build = await started(table, 'a', freshHash(), 10);
        const renewal = (minutes: number) => ({ ...build, lease: { owner: 'a', expiresAt: iso(minutes) } });
        const later = await moved(table, build, renewal(30));
        expect(await table.transition(build, renewal(20), { lapsedAt: at(20) })).toEqual({ moved: false, current: later });
      });

      it('a removal finds nothing to remove', async () => {
        const row = await expiringRow(table, 'a');
        expect([await table.remove(row), await table.remove(row)]).toEqual([true, false]);
      });
    });

    it('agrees with a simple model over random histories', async () => {
      await checkRandomHistories(table);
    });
  });
}
