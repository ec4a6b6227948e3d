import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { type BuildEnd, type CountedBuild, type Figures, requestsOf, type SubjectRequests } from '#core/statistics/counts.ts';
import type { Statistics } from '#core/statistics/ports.ts';
import { at, freshHash, iso } from './sample-builds.ts';

export const FAR_AHEAD = new Date('2100-01-01T00:00:00.000Z');

export const counted = (minutes = 0): CountedBuild => ({ hash: freshHash(), enqueuedAt: iso(minutes) });

export const success = (build: CountedBuild, minutes: number, more: Partial<BuildEnd> = {}): BuildEnd => ({
  ...build,
  endedAt: iso(minutes),
  outcome: 'success',
  milliseconds: 1_500,
  subject: { branch: '24.10', version: '24.10.2', target: 'x86/64', profile: 'generic' },
  packages: [],
  ...more,
});

export const requests = (
  minutes: number,
  sums: { hits?: number; joined?: number; rejected?: number },
  clients: Record<string, number> = {},
  subjects: Record<string, SubjectRequests> = {},
) => ({
  at: iso(minutes),
  hits: 0,
  joined: 0,
  rejected: 0,
  ...sums,
  clients,
  subjects,
});

export interface CountedStatistics {
  readonly statistics: Statistics;
  /** Returns the sums over all time. */
  readonly total: () => Promise<Figures>;
}

/** The contract of every `Statistics` (core/statistics/ports.ts) that counts builds. `make` returns an empty one each time. */
export function countedBuildsContract(
  name: string,
  make: () => CountedStatistics | Promise<CountedStatistics>,
  { runs = 40 }: { runs?: number } = {},
): void {
  describe(`counted builds: ${name}`, () => {
    let statistics: Statistics;
    let total: () => Promise<Figures>;
    beforeEach(async () => {
      ({ statistics, total } = await make());
    });

    it('counts a build once although each report of it is repeated, since its answer was lost', async () => {
      const build = counted(0);
      for (let time = 0; time < 2; time += 1) await statistics.started(build);
      const end = success(build, 5);
      expect([await statistics.ended(end), await statistics.ended(end)]).toEqual([true, false]);
      await statistics.started(build);
      expect(await total()).toMatchObject({ misses: 1, successes: 1 });
      expect(await statistics.unended(FAR_AHEAD, 10)).toEqual([]);
    });

    it('shows at once what was reported', async () => {
      const build = counted(0);
      await statistics.started(build);
      expect(await statistics.unended(FAR_AHEAD, 10)).toEqual([build]);
      await statistics.ended(success(build, 5));
      expect(await statistics.unended(FAR_AHEAD, 10)).toEqual([]);
    });

    it('counts a hash that is built again as another build', async () => {
      const first = counted(0);
      const second = { ...first, enqueuedAt: iso(1_000) };
      for (const build of [first, second]) expect(await statistics.ended(success(build, 1_100))).toBe(true);
      expect(await total()).toMatchObject({ misses: 2, successes: 2 });
    });

    it('lists what has not ended, oldest first and bounded', async () => {
      const builds = [counted(3), counted(1), counted(2), counted(4)];
      for (const build of builds) await statistics.started(build);
      await statistics.ended(success(builds[2] as CountedBuild, 10));
      expect(await statistics.unended(at(4), 10)).toEqual([builds[1], builds[0]]);
      expect(await statistics.unended(FAR_AHEAD, 1)).toEqual([builds[1]]);
      expect(await statistics.unended(at(2), 10, at(3))).toEqual([builds[3], builds[1]]);
      expect(await statistics.unended(at(2), 1, at(3))).toEqual([builds[3]]);
    });

    it('counts right, whatever is reported twice, late or never (I7)', async () => {
      const steps = fc.array(
        fc.oneof(
          fc.record({ tell: fc.constant('start' as const), build: fc.nat(7) }),
          fc.record({
            tell: fc.constant('end' as const),
            build: fc.nat(7),
            outcome: fc.constantFrom('success' as const, 'failure' as const, 'cancelled' as const),
          }),
          fc.record({ tell: fc.constant('count' as const), hits: fc.nat(3), joined: fc.nat(3), rejected: fc.nat(3) }),
        ),
        { maxLength: 40 },
      );
      await fc.assert(
        fc.asyncProperty(steps, fc.boolean(), async (told, isConcurrent) => {
          const { statistics: books, total } = await make();
          const builds = Array.from({ length: 8 }, (_, i) => counted(i * 700));
          const starts = new Set<number>();
          const ends = new Map<number, string>();
          const sums = { hits: 0, joined: 0, rejected: 0 };
          const calls = told.map((step) => async () => {
            if (step.tell === 'count') return books.count(requests(700, step));
            const build = builds[step.build] as CountedBuild;
            if (step.tell === 'start') return books.started(build);
            const isNew = await books.ended({ ...success(build, 5_000 + step.build), outcome: step.outcome });
            if (isNew) {
              expect(ends.has(step.build)).toBe(false);
              ends.set(step.build, step.outcome);
            }
            return undefined;
          });
          for (const step of told) {
            if (step.tell !== 'count') starts.add(step.build);
            else for (const sum of ['hits', 'joined', 'rejected'] as const) sums[sum] += step[sum];
          }
          if (isConcurrent) await Promise.all(calls.map((call) => call()));
          else for (const call of calls) await call();

          const all = await total();
          const under = await books.unended(FAR_AHEAD, 100);
          const outcomes = (wanted: string) => [...ends.values()].filter((outcome) => outcome === wanted).length;
          expect(all).toMatchObject({ ...sums, misses: starts.size });
          expect(all).toMatchObject({ successes: outcomes('success'), failures: outcomes('failure'), cancelled: outcomes('cancelled') });
          expect(requestsOf(all)).toBe(all.hits + all.misses + all.joined + all.rejected);
          expect(all.misses).toBe(all.successes + all.failures + all.cancelled + under.length);
        }),
        { numRuns: runs },
      );
    });
  });
}
