import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { upstreamCatalogue } from '#adapters/upstream/upstream-catalogue.ts';
import { type Build, factsOf } from '#core/build/build.ts';
import type { BuildQueue, BuildSweep, BuildTable, QueuePositions } from '#core/build/ports.ts';
import { sightings } from '#core/build/sightings.ts';
import { submitBuild } from '#core/build/submit-build.ts';
import { sweepBuilds } from '#core/build/sweep.ts';
import { DEFAULT_BRANCHES } from '#core/catalogue/branches.ts';
import { buildRequestParser } from '#core/request/parse-build-request.ts';
import type { RequestHash } from '#core/request/request-hash.ts';
import { requestsOf } from '#core/statistics/counts.ts';
import type { Statistics, StatisticsReport } from '#core/statistics/ports.ts';
import type { ArtifactStore, RecordStore } from '#core/stores.ts';
import type { Facts, RecordedBuild, RecordedStatistics } from '../recordings.ts';
import type { Asked } from './ask-for-builds.ts';

/** The state that the killed processes left, through the adapters that wrote it. */
export interface LeftState {
  readonly builds: BuildTable;
  readonly sweep: BuildSweep;
  readonly queue: BuildQueue;
  readonly artifacts: ArtifactStore;
  readonly records: RecordStore;
  readonly positions: QueuePositions;
  readonly statistics: Statistics;
  readonly report: StatisticsReport;
}

const now = () => new Date();
const WEEK_SECONDS = 7 * 86_400;
const TIMES_TO_LIVE = {
  buildSeconds: WEEK_SECONDS,
  unversionedSeconds: WEEK_SECONDS,
  defaultsSeconds: WEEK_SECONDS,
  failureSeconds: WEEK_SECONDS,
};

/**
 * Adds the states that no process can be made to leave on demand: those between two writes, where a crash may hit it. The code
 * that a process runs makes each, and is cut off where the crash would hit. Returns everything that a later version has to keep.
 */
export async function leaveTraces(
  state: LeftState,
  asked: Asked,
  { commit, upstreamUrl }: { commit: string; upstreamUrl: string },
): Promise<Omit<Facts, 'signingKey'>> {
  const named = <Of extends { name: string }>(builds: readonly Of[], name: string): Of & { hash: RequestHash } => {
    const found = builds.find((build) => build.name === name);
    if (found === undefined) throw new Error(`no build ${name}`);
    return found as Of & { hash: RequestHash };
  };
  const seen = sightings(() => performance.now());
  const sweepOnly = (list: keyof BuildSweep, hash: RequestHash, artifacts = state.artifacts) => {
    const nothing = async () => [];
    const find = state.sweep[list] as (...bounds: unknown[]) => Promise<Build[]>;
    const only = async (...bounds: unknown[]) => (await find(...bounds)).filter((build) => build.hash === hash);
    const sweep = { unsent: nothing, stale: nothing, leased: nothing, expired: nothing, [list]: only } as unknown as BuildSweep;
    return sweepBuilds({ ...state, artifacts, sweep, now, sightings: seen, newSweepId: randomUUID, timesToLive: TIMES_TO_LIVE });
  };

  for (const [builds, name] of [
    [asked.done, 'that a crash kept from being published'],
    [asked.privately, 'private, that a crash kept from being published'],
  ] as const)
    if ((await state.artifacts.remove(`api/v1/build/${named(builds, name).hash}`)) !== 1) throw new Error(`${name} was not published`);

  const crash = async () => {
    throw new Error('the process ends here');
  };
  const unsent = [
    await acceptBuild(state, upstreamUrl, { name: 'whose message was never sent', packages: ['batctl-default', 'zzz'], send: crash }),
    await acceptBuild(state, upstreamUrl, {
      name: 'whose message was lost',
      packages: ['batctl-default', 'aaa'],
      send: async () => undefined,
    }),
  ];

  const cancelled = named(asked.queued, 'cancelled');
  const queued = await state.builds.get(cancelled.hash);
  if (queued?.state !== 'queued') throw new Error(`to be cancelled, but ${queued?.state}`);
  const expiresAt = new Date(Date.now() + WEEK_SECONDS * 1000).toISOString();
  await state.builds.transition(queued, { ...factsOf(queued), state: 'cancelled', finishedAt: now().toISOString(), expiresAt });

  const lost = named(asked.building, 'under way, then given back by the sweeper');
  while ((await sweepOnly('leased', lost.hash)).returned === 0) await pause(500);

  const half = named(asked.expired, 'half removed');
  while ((await sweepOnly('expired', half.hash)).unpublished === 0) await pause(500);
  const cut = named(asked.expired, 'whose removal was cut short at its beginning');
  while ((await sweepOnly('expired', cut.hash, { ...state.artifacts, remove: crash })).errors.length === 0) await pause(500);

  const accepted = [...asked.building, named(asked.queued, 'waiting'), ...unsent];
  await assertStates(state.builds, {
    building: [named(asked.building, 'under way')],
    queued: [lost, named(asked.queued, 'waiting'), ...unsent],
    done: [...asked.done, ...asked.privately, named(asked.expired, 'past its time')],
    failed: [...asked.failed, ...asked.failedForNow],
    cancelled: [cancelled],
    expiring: [half, cut],
  });
  const { done, privately, failed, failedForNow, expired, forecasts } = asked;
  const statistics = await statisticsOf(state.report);
  return {
    commit,
    recordedAt: now().toISOString(),
    upstreamUrl,
    done,
    privately,
    accepted,
    failed,
    failedForNow,
    cancelled: [cancelled],
    expired,
    forecasts,
    statistics,
  };
}

/** Accepts a build as a server does whose queue sends messages with `send`. */
async function acceptBuild(
  { records, statistics, ...state }: LeftState,
  baseUrl: string,
  { name, packages, send }: { name: string; packages: string[]; send: BuildQueue['send'] },
): Promise<RecordedBuild> {
  const request = { version: '24.10.2', target: 'x86/64', profile: 'generic', packages };
  const policy = { allowDefaults: true, repositoryAllowList: [], branches: DEFAULT_BRANCHES };
  const catalogue = upstreamCatalogue({ baseUrl, records, now });
  const deps = { ...state, queue: { ...state.queue, send }, policy, catalogue, now, maxPendingBuilds: () => 1_000 };
  const { view } = await submitBuild(deps, buildRequestParser()(request), { correlationId: randomUUID() });
  await statistics.started({ hash: view.build.hash, enqueuedAt: view.build.enqueuedAt });
  return { name, request, hash: view.build.hash };
}

async function assertStates(builds: BuildTable, expected: Readonly<Record<string, readonly { name: string; hash: string }[]>>) {
  for (const [state, all] of Object.entries(expected))
    for (const { name, hash } of all) {
      const build = await builds.get(hash as RequestHash);
      if (build?.state !== state) throw new Error(`build ${name} is ${build?.state}, not ${state}`);
    }
}

async function statisticsOf(report: StatisticsReport): Promise<RecordedStatistics> {
  const [from, until] = [new Date(Date.now() - 2 * 86_400_000), now()];
  const days = await report.figures('day', from, until);
  const sum = (of: (day: (typeof days)[number]) => number) => days.reduce((total, day) => total + of(day), 0);
  return {
    requests: sum(requestsOf),
    hits: sum(({ hits }) => hits),
    failures: sum(({ failures }) => failures),
    successes: sum(({ successes }) => successes),
    packages: Object.fromEntries((await report.top('package', from, until, { limit: 100 })).map(({ name, count }) => [name, count])),
    errors: (await report.errors(100)).map(({ message }) => message),
  };
}
