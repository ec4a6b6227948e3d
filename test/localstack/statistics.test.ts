import { describe, expect, it } from 'vitest';
import { rollUpStatistics } from '#adapters/aws/statistics/roll-up-statistics.ts';
import { dynamoStatistics } from '#adapters/aws/statistics/statistics.ts';
import { dynamoStatisticsReport } from '#adapters/aws/statistics/statistics-report.ts';
import { type BuildEnd, type CountedBuild, type RequestCounts, sumOf } from '#core/statistics/counts.ts';
import type { Statistics, StatisticsReport } from '#core/statistics/ports.ts';
import { requestCounter } from '#core/statistics/request-counter.ts';
import { createStatisticsTable } from '#local-aws/resources/create-resources.ts';
import { at, freshHash, iso } from '#test/contracts/sample-builds.ts';
import { statisticsContract } from '#test/contracts/statistics.ts';
import { dynamoClient } from './clients.ts';
import { meterUnits } from './meter.ts';

const client = dynamoClient();

async function make(now = () => at(0)): Promise<{ name: string; statistics: Statistics & StatisticsReport }> {
  const name = await createStatisticsTable(client);
  return { name, statistics: { ...dynamoStatistics(client, name, now), ...dynamoStatisticsReport(client, name) } };
}

statisticsContract('dynamodb', async () => (await make()).statistics, { runs: 5 });

// The day of these counts is long past, so that they are rolled up and every new count is late.
statisticsContract(
  'dynamodb, rolled up before each look',
  async () => {
    const now = () => at(40 * 24 * 60);
    const { name, statistics } = await make(now);
    const afterRollUp =
      <Input extends unknown[], T>(read: (...input: Input) => Promise<T>) =>
      async (...input: Input): Promise<T> => {
        await rollUpStatistics(client, name, now, 1);
        return read(...input);
      };
    return {
      ...statistics,
      unended: afterRollUp(statistics.unended),
      figures: afterRollUp(statistics.figures),
      versions: afterRollUp(statistics.versions),
      top: afterRollUp(statistics.top),
      errors: afterRollUp(statistics.errors),
    };
  },
  { runs: 5 },
);

describe('statistics on DynamoDB', () => {
  const success = (build: CountedBuild, minutes: number, packages: string[] = ['luci']): BuildEnd => ({
    ...build,
    endedAt: iso(minutes),
    outcome: 'success',
    milliseconds: 1_000,
    subject: { branch: '24.10', version: '24.10.2', target: 'x86/64', profile: 'generic' },
    packages,
  });
  const counted = (minutes: number): CountedBuild => ({ hash: freshHash(), enqueuedAt: iso(minutes) });
  const requests = (minutes: number, clients: Record<string, number>): RequestCounts => ({
    at: iso(minutes),
    hits: 1,
    joined: 0,
    rejected: 0,
    clients,
    subjects: {},
  });
  const total = async (report: StatisticsReport) => sumOf(await report.figures('day', new Date(0), at(100 * DAY)));
  const DAY = 24 * 60;

  it('costs one write unit per start, end and flush', async () => {
    const { name } = await make();
    await dynamoStatistics(client, name, () => at(0)).started(counted(0));
    const metered = dynamoClient();
    const units = meterUnits(metered);
    const statistics = dynamoStatistics(metered, name, () => at(0));
    const build = counted(0);
    await statistics.count(requests(0, { 'owut/2026.01.01': 1 }));
    expect(units.take()).toEqual({ reads: 0.5, writes: 1 });
    await statistics.started(build);
    await statistics.ended(
      success(
        build,
        1,
        Array.from({ length: 30 }, (_, i) => `package-number-${i}`),
      ),
    );
    await statistics.count(requests(0, { 'owut/2026.01.01': 1 }));
    expect(units.take()).toEqual({ reads: 0, writes: 3 });
  });

  it('rolls up counts before the oldest build that has not ended, and the whole day after its end', async () => {
    let minutes = 600;
    const { name, statistics } = await make(() => at(minutes));
    const rollUp = () => rollUpStatistics(client, name, () => at(minutes), 1);
    const builds = [0, 1, 2, 3].map(counted);
    for (const build of builds) await statistics.started(build);
    for (const i of [0, 1, 3]) await statistics.ended(success(builds[i] as CountedBuild, 10));
    await statistics.count(requests(600, { 'owut/1': 1 }));

    expect(await rollUp()).toBe(1);
    expect(await rollUp()).toBe(0);
    expect(await statistics.unended(at(minutes), 10)).toEqual([builds[2]]);
    expect(await total(statistics)).toMatchObject({ misses: 4, successes: 3, hits: 1 });
    await statistics.ended(success(builds[2] as CountedBuild, 20));
    minutes = 1.5 * DAY;
    expect(await rollUp()).toBe(1);
    expect(await statistics.unended(at(minutes), 10)).toEqual([]);
    expect(await total(statistics)).toMatchObject({ misses: 4, successes: 4, hits: 1 });

    const metered = dynamoClient();
    const units = meterUnits(metered);
    expect(await total(dynamoStatisticsReport(metered, name))).toMatchObject({ misses: 4, successes: 4, hits: 1 });
    expect(units.take().reads).toBeLessThanOrEqual(2);
  });

  it('counts late entries of a rolled-up day, and each once when several processes roll up', async () => {
    const { name, statistics } = await make(() => at(5 * DAY));
    const rollUp = () => rollUpStatistics(client, name, () => at(5 * DAY), 1);
    await statistics.ended(success(counted(0), 10, ['vim']));
    await Promise.all([rollUp(), rollUp(), rollUp()]);
    await statistics.started(counted(5));
    await statistics.count(requests(3, { 'owut/1': 2 }));
    expect(await total(statistics)).toMatchObject({ misses: 2, successes: 1, hits: 1 });
    await Promise.all([rollUp(), rollUp(), rollUp()]);
    expect(await total(statistics)).toMatchObject({ misses: 2, successes: 1, hits: 1 });
    expect(await statistics.top('package', at(0), at(DAY), { limit: 5 })).toEqual([{ name: 'vim', count: 1 }]);
    expect(await statistics.top('client', at(0), at(DAY), { limit: 5 })).toEqual([{ name: 'owut/1', count: 2 }]);
  });

  it.each([0, 1, 5])('counts each request once when part %i of a flush is refused', async (refused) => {
    const { name, statistics } = await make();
    const broken = dynamoClient();
    let parts = 0;
    broken.middlewareStack.add(
      (next) => async (args) => {
        const { UpdateExpression = '' } = args.input as { UpdateExpression?: string };
        if (UpdateExpression.startsWith('ADD') && parts++ === refused) throw new Error('refused');
        return next(args);
      },
      { step: 'initialize' },
    );
    const counter = requestCounter({ statistics: dynamoStatistics(broken, name, () => at(0)), now: () => at(0) });
    const profiles = Array.from({ length: 30 }, (_, i) => `24.10.2 x86/64 profile-${i}`);
    for (const profile of profiles) counter.add('hit', 'owut/1', profile);
    await expect(counter.flush()).rejects.toThrow('only a part');
    expect(parts).toBeGreaterThan(5);
    await counter.flush();
    await counter.flush();
    expect(await total(statistics)).toMatchObject({ hits: 30 });
    expect(await statistics.top('client', at(0), at(0), { limit: 5 })).toEqual([{ name: 'owut/1', count: 30 }]);
    const subjects = await statistics.subjects(at(0), at(0), 100);
    expect(subjects.map(({ profile, requests, hits }) => [profile, requests, hits]).sort()).toEqual(
      profiles.map((profile) => [profile.split(' ')[2], 1, 1]).sort(),
    );
  });

  it('does not let invented client names make its items large', async () => {
    const { name, statistics } = await make();
    for (let i = 0; i < 20; i += 1)
      await statistics.count(requests(0, Object.fromEntries(Array.from({ length: 40 }, (_, j) => [`client-${i}/${j}`, 1]))));
    const clients = await statistics.top('client', at(0), at(0), { limit: 1_000 });
    expect(clients.length).toBeLessThanOrEqual(32 * 9);
    expect(clients.reduce((sum, { count }) => sum + count, 0)).toBe(800);
    expect(clients[0]?.name).toBe('other/0');
    expect(await dynamoStatisticsReport(client, name).figures('hour', at(0), at(0))).toMatchObject([{ hits: 20 }]);
  });
});
