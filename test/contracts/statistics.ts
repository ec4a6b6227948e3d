import { beforeEach, describe, expect, it } from 'vitest';
import { type BuildEnd, type CountedBuild, MAX_BUILD_ERRORS, sumOf } from '#core/statistics/counts.ts';
import type { Statistics, StatisticsReport } from '#core/statistics/ports.ts';
import { counted, countedBuildsContract, FAR_AHEAD, requests, success } from './counted-builds.ts';
import { at, iso } from './sample-builds.ts';

type Both = Statistics & StatisticsReport;

const HOUR = 60;
const DAY = 24 * HOUR;
const LONG_AGO = new Date('2000-01-01T00:00:00.000Z');

const failure = (build: CountedBuild, minutes: number, error: string): BuildEnd => ({
  ...success(build, minutes),
  outcome: 'failure',
  milliseconds: 0,
  error,
});

const total = async (statistics: Both) => sumOf(await statistics.figures('day', LONG_AGO, FAR_AHEAD));

/** The contract of every `Statistics` with its `StatisticsReport` (core/statistics/ports.ts). `make` returns an empty one each time. */
export function statisticsContract(name: string, make: () => Both | Promise<Both>, { runs = 40 }: { runs?: number } = {}): void {
  const withTotal = async () => {
    const statistics = await make();
    return { statistics, total: () => total(statistics) };
  };
  countedBuildsContract(name, withTotal, { runs });

  describe(`statistics: ${name}`, () => {
    let statistics: Both;
    beforeEach(async () => {
      statistics = await make();
    });

    it('is empty at first', async () => {
      expect(await statistics.figures('hour', at(0), at(DAY))).toEqual([]);
      expect(await statistics.figures('day', at(0), at(DAY))).toEqual([]);
      expect(await statistics.versions(LONG_AGO, FAR_AHEAD)).toEqual([]);
      expect(await statistics.top('package', at(0), at(DAY), { limit: 10 })).toEqual([]);
      expect(await statistics.errors(10)).toEqual([]);
      expect(await statistics.unended(FAR_AHEAD, 10)).toEqual([]);
    });

    it('adds up per hour and per day, bounds included', async () => {
      await statistics.count(requests(59, { hits: 2, rejected: 1 }));
      await statistics.count(requests(0, { hits: 3 }));
      await statistics.count(requests(60, { joined: 4 }));
      await statistics.count(requests(DAY, { hits: 5 }));
      const zero = { hits: 0, misses: 0, joined: 0, rejected: 0, successes: 0, failures: 0, cancelled: 0, buildMilliseconds: 0 };
      expect(await statistics.figures('hour', at(30), at(61))).toEqual([
        { ...zero, start: '2026-11-01T00', hits: 5, rejected: 1 },
        { ...zero, start: '2026-11-01T01', joined: 4 },
      ]);
      expect(await statistics.figures('hour', at(60), at(90))).toEqual([{ ...zero, start: '2026-11-01T01', joined: 4 }]);
      expect(await statistics.figures('day', at(DAY - 1), at(DAY))).toEqual([
        { ...zero, start: '2026-11-01', hits: 5, joined: 4, rejected: 1 },
        { ...zero, start: '2026-11-02', hits: 5 },
      ]);
      expect(await statistics.figures('day', at(DAY), at(2 * DAY))).toEqual([{ ...zero, start: '2026-11-02', hits: 5 }]);
    });

    it('counts a start once, in the hour of acceptance', async () => {
      const build = counted(61);
      await Promise.all([statistics.started(build), statistics.started(build)]);
      await statistics.started(build);
      expect(await statistics.figures('hour', at(0), at(DAY))).toMatchObject([{ start: '2026-11-01T01', misses: 1 }]);
    });

    it('counts an end once, by the first report, however many follow', async () => {
      const build = counted(0);
      await statistics.started(build);
      const told = await Promise.all([
        statistics.ended(success(build, 61)),
        statistics.ended(success(build, 61)),
        statistics.ended(success(build, 61)),
      ]);
      expect(told.filter(Boolean)).toHaveLength(1);
      expect(await statistics.ended(failure(build, 200, 'late'))).toBe(false);
      expect(await total(statistics)).toMatchObject({ misses: 1, successes: 1, failures: 0, buildMilliseconds: 1_500 });
      expect(await statistics.figures('hour', at(60), at(119))).toMatchObject([{ start: '2026-11-01T01', successes: 1, misses: 0 }]);
      expect(await statistics.versions(at(0), at(0))).toEqual([{ day: '2026-11-01', version: '24.10.2', count: 1 }]);
      expect(await statistics.errors(10)).toEqual([]);
    });

    it('adds a start that was never reported, and does not count it twice', async () => {
      const build = counted(0);
      expect(await statistics.ended({ ...success(build, 5), outcome: 'cancelled', milliseconds: 0 })).toBe(true);
      await statistics.started(build);
      expect(await total(statistics)).toMatchObject({ misses: 1, cancelled: 1 });
      expect(await statistics.unended(FAR_AHEAD, 10)).toEqual([]);
      expect(await statistics.versions(LONG_AGO, FAR_AHEAD)).toEqual([]);
    });

    it('counts an end without a known start', async () => {
      const build = counted(0);
      await statistics.ended({ ...build, endedAt: iso(5), outcome: 'failure', milliseconds: 0, packages: [] });
      expect(await total(statistics)).toMatchObject({ misses: 1, failures: 1 });
      expect(await statistics.errors(10)).toEqual([]);
    });

    it('ranks packages of successful builds, of all branches or of one', async () => {
      const subject = { branch: '23.05', version: '23.05.5', target: 'ath79/generic', profile: 'a' };
      await statistics.ended(success(counted(), 1, { packages: ['vim', 'luci'] }));
      await statistics.ended(success(counted(), 2, { packages: ['luci', 'tmux'] }));
      await statistics.ended(success(counted(), 3, { packages: ['tmux', '6in4'], subject }));
      await statistics.ended({ ...failure(counted(), 3, 'x'), packages: ['vim'] });
      await statistics.ended(success(counted(), DAY, { packages: ['vim'] }));
      const top = (limit: number, branch?: string) => statistics.top('package', at(0), at(5), { limit, ...(branch && { branch }) });
      expect(await top(10)).toEqual([
        { name: 'luci', count: 2 },
        { name: 'tmux', count: 2 },
        { name: '6in4', count: 1 },
        { name: 'vim', count: 1 },
      ]);
      expect(await top(2)).toEqual((await top(10)).slice(0, 2));
      expect(await top(10, '23.05')).toEqual([
        { name: '6in4', count: 1 },
        { name: 'tmux', count: 1 },
      ]);
      expect(await top(10, '22.03')).toEqual([]);
      expect(await statistics.top('target', at(0), at(5), { limit: 5 })).toEqual([
        { name: 'x86/64', count: 2 },
        { name: 'ath79/generic', count: 1 },
      ]);
    });

    it('ranks clients', async () => {
      await statistics.count(requests(0, { hits: 3 }, { 'owut/1': 2, 'luci/git-1': 1 }));
      await statistics.count(requests(5, { hits: 2 }, { 'luci/git-1': 2 }));
      expect(await statistics.top('client', at(0), at(5), { limit: 5 })).toEqual([
        { name: 'luci/git-1', count: 3 },
        { name: 'owut/1', count: 2 },
      ]);
    });

    it('gives requests, cached answers and failures by version, target and profile', async () => {
      const [one, other] = ['24.10.2 x86/64 generic', '23.05.5 ath79/generic a'];
      await statistics.count(
        requests(0, { hits: 2 }, { 'owut/1': 5 }, { [one]: { requests: 3, hits: 2 }, [other]: { requests: 2, hits: 0 } }),
      );
      await statistics.count(requests(60, { hits: 1 }, { 'owut/1': 2 }, { [one]: { requests: 2, hits: 1 } }));
      await statistics.count(requests(DAY, { hits: 1 }, { 'owut/1': 1 }, { [other]: { requests: 1, hits: 1 } }));
      const subject = { branch: '23.05', version: '23.05.5', target: 'ath79/generic', profile: 'a' };
      await statistics.ended({ ...failure(counted(), 5, 'x'), subject });
      await statistics.ended(success(counted(), 5));
      const x86 = { version: '24.10.2', target: 'x86/64', profile: 'generic', requests: 5, hits: 3, failures: 0 };
      const ath79 = { version: '23.05.5', target: 'ath79/generic', profile: 'a' };
      expect(await statistics.subjects(at(0), at(5), 10)).toEqual([x86, { ...ath79, requests: 2, hits: 0, failures: 1 }]);
      expect(await statistics.subjects(at(0), at(5), 1)).toEqual([x86]);
      expect(await statistics.subjects(at(DAY), at(DAY), 10)).toEqual([{ ...ath79, requests: 1, hits: 1, failures: 0 }]);
      expect(await total(statistics)).toMatchObject({ hits: 4 });
    });

    it('counts versions by day', async () => {
      const version = (name: string) => ({ branch: 'SNAPSHOT', version: name, target: 'x86/64', profile: 'generic' });
      for (const minutes of [0, 5, DAY]) await statistics.ended(success(counted(), minutes, { subject: version('SNAPSHOT') }));
      const sorted = (await statistics.versions(at(0), at(DAY))).sort((a, b) => (a.day < b.day ? -1 : 1));
      expect(sorted).toEqual([
        { day: '2026-11-01', version: 'SNAPSHOT', count: 2 },
        { day: '2026-11-02', version: 'SNAPSHOT', count: 1 },
      ]);
    });

    it('gives the newest errors, newest first, every character kept', async () => {
      for (const i of [1, 2, 3]) await statistics.ended(failure(counted(), i, `Error ${i}: "'ü🚀`));
      const error = (i: number) => ({ at: iso(i), version: '24.10.2', target: 'x86/64', profile: 'generic', message: `Error ${i}: "'ü🚀` });
      expect(await statistics.errors(2)).toEqual([error(3), error(2)]);
      expect(await statistics.errors(MAX_BUILD_ERRORS)).toHaveLength(3);
    });
  });
}
