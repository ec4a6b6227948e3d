import type { BuildTable } from '#core/build/ports.ts';
import type { Branch } from '#core/catalogue/branches.ts';
import type { Clock } from '#core/stores.ts';
import { latestPlausible } from '../clock-skew.ts';
import { buildEnd } from './build-end.ts';
import type { BuildEnd, CountedBuild } from './counts.ts';
import type { Statistics } from './ports.ts';

export interface ReconcileBuildsDeps {
  readonly statistics: Pick<Statistics, 'unended' | 'ended'>;
  readonly builds: Pick<BuildTable, 'get' | 'order'>;
  readonly branches: () => readonly Branch[];
  readonly now: Clock;
}

/** Younger builds and ends are left alone: the process that ends a build reports the end by itself, and knows more. */
const RECONCILE_AFTER_SECONDS = 60;
/** The number of builds per call, which bounds its time. */
const LIMIT = 1_000;

/**
 * Counts the ends that were not reported: of a runner that was killed between ending a build and reporting it, of a
 * build that the sweeper gave up, of a cancellation. Idempotent. Where even the row is gone, or another claim has taken
 * it, the build counts as a failure without a device. Returns how many ends it counted.
 */
export async function reconcileBuilds(deps: ReconcileBuildsDeps): Promise<number> {
  const now = deps.now();
  const window = { before: new Date(now.getTime() - RECONCILE_AFTER_SECONDS * 1000), ahead: latestPlausible(now) };
  let reconciled = 0;
  for (const counted of await deps.statistics.unended(window.before, LIMIT, window.ahead)) {
    const end = await endOf(deps, counted, window);
    if (end !== undefined && (await deps.statistics.ended(end))) reconciled++;
  }
  return reconciled;
}

async function endOf(
  { builds, branches, now }: ReconcileBuildsDeps,
  counted: CountedBuild,
  { before, ahead }: { before: Date; ahead: Date },
): Promise<BuildEnd | undefined> {
  const build = await builds.get(counted.hash);
  if (build === undefined || build.enqueuedAt !== counted.enqueuedAt || build.state === 'expiring')
    return { ...counted, endedAt: now().toISOString(), outcome: 'failure', milliseconds: 0, packages: [] };
  if (build.state === 'queued' || build.state === 'building') return undefined;
  if (build.finishedAt > before.toISOString() && build.finishedAt < ahead.toISOString()) return undefined;
  return buildEnd(build, await builds.order(build.hash), branches());
}
