import { leaseNotes } from '#core/build/lease-notes.ts';
import { sightings } from '#core/build/sightings.ts';
import { sweepBuilds } from '#core/build/sweep.ts';
import { DEFAULT_BRANCHES } from '#core/catalogue/branches.ts';
import { reconcileBuilds } from '#core/statistics/reconcile-builds.ts';
import type { SimulatedProcess } from '../process.ts';
import type { World } from '../world.ts';
import { machine } from './machine.ts';

const SWEEP_EVERY_MS = 30_000;

/** Starts a machine that sweeps every 30 seconds, and counts the ends of builds that were not reported. */
export function sweeper(world: World, name: string): void {
  machine(world, name, (process) => void sweepAgainAndAgain(world, process));
}

async function sweepAgainAndAgain(world: World, process: SimulatedProcess): Promise<void> {
  let sweeps = 0;
  const { now, monotonic } = process;
  const builds = process.use('builds', world.ports.builds);
  const deps = {
    builds,
    queue: process.use('queue', world.ports.queue),
    artifacts: process.use('artifacts', world.ports.artifacts),
    sweep: process.use('sweep', world.ports.sweep),
    now,
    timesToLive: world.timesToLive,
    sightings: sightings(monotonic),
    leaseNotes: leaseNotes({ records: process.use('records', world.ports.records), now }),
    newSweepId: () => `${process.name}-sweep-${++sweeps}`,
  };
  const statistics = process.use('statistics', world.ports.statistics);
  await process.pause(world.randomOf(process.name).between(0, SWEEP_EVERY_MS));
  for (;;) {
    const { errors, unread } = await sweepBuilds(deps);
    for (const error of [...errors, ...unread]) world.trace.note(world.scheduler.time(), process.name, String(error));
    await reconcileBuilds({ statistics, builds, branches: () => DEFAULT_BRANCHES, now }).catch(() => undefined);
    await process.pause(SWEEP_EVERY_MS);
  }
}
