import { RETRY_DELAYS_SECONDS } from '#core/build/attempt.ts';
import { runBuild } from '#core/build/run-build.ts';
import { DEFAULT_BRANCHES } from '#core/catalogue/branches.ts';
import type { RequestHash } from '#core/request/request-hash.ts';
import { recordStatistics } from '#core/statistics/record-statistics.ts';
import { simulatedMaker } from '../image-maker.ts';
import type { SimulatedProcess } from '../process.ts';
import type { World } from '../world.ts';
import { machine } from './machine.ts';

const WORKERS = 2;
const IDLE_MS = 15_000;
/** The pause after the queue or the table failed, as in `runner/run-workers.ts`. */
const ERROR_PAUSE_MS = 2_000;
/** A process that was asked to stop is killed after so long (`stopTimeout` of ECS). */
const STOP_TIMEOUT_MS = 120_000;

/** Decides whether a try of a build fails through no fault of its request. */
export type MachineFaults = (hash: RequestHash) => boolean;

/** Returns the faults of one seed's machines: in some seeds only the third try of each build succeeds. */
export function machineFaults(world: World): MachineFaults {
  const random = world.randomOf('machine faults');
  const what = random.pick(['rare', 'usual', 'first two tries'] as const);
  const tries = new Map<RequestHash, number>();
  return (hash) => {
    const before = tries.get(hash) ?? 0;
    tries.set(hash, before + 1);
    if (!world.isFaulty()) return false;
    return what === 'first two tries' ? before % 3 < 2 : random.chance(what === 'rare' ? 0.05 : 0.3);
  };
}

/** Starts a machine with a runner, which receives messages and runs `runBuild`, two at a time. */
export function runner(world: World, name: string, faults: MachineFaults): void {
  const stops = new WeakMap<SimulatedProcess, AbortController>();
  const start = (process: SimulatedProcess) => {
    const stop = new AbortController();
    stops.set(process, stop);
    void work(world, process, faults, stop.signal);
  };
  const onTerm = (process: SimulatedProcess) => {
    stops.get(process)?.abort(new Error('SIGTERM'));
    world.scheduler.in(STOP_TIMEOUT_MS, process.kill);
  };
  machine(world, name, start, { onTerm });
}

async function work(world: World, process: SimulatedProcess, isMachineAtFault: MachineFaults, shutdown: AbortSignal): Promise<void> {
  const random = world.randomOf(process.name);
  const queue = process.use('queue', world.ports.queue);
  let attempts = 0;
  const recorder = recordStatistics({
    statistics: process.use('statistics', world.ports.statistics),
    branches: () => DEFAULT_BRANCHES,
    now: process.now,
    onError: () => undefined,
  });
  // Each seed has runners of one way of running: standalone renews early, a runner on AWS late.
  const isLate = world.seed % 2 === 0;
  const deps = {
    builds: process.use('builds', world.ports.builds),
    queue,
    artifacts: process.use('artifacts', world.ports.artifacts),
    now: process.now,
    monotonic: process.monotonic,
    every: process.every,
    timesToLive: world.timesToLive,
    leaseSeconds: world.leaseSeconds,
    retryDelaysSeconds: RETRY_DELAYS_SECONDS,
    uploadSeconds: 300,
    ...(isLate && { stepsEveryMs: 2_000, renewAfterSeconds: (world.leaseSeconds * 2) / 3 }),
    imageMaker: simulatedMaker({
      process,
      random,
      disk: world.ports.disk,
      isMachineAtFault,
    }),
    newAttemptId: () => `${process.name}-attempt-${++attempts}`,
    onEvent: recorder.onRunEvent,
  };

  const worker = async () => {
    while (!shutdown.aborted)
      try {
        const message = await queue.receive({ visibilitySeconds: world.leaseSeconds, signal: shutdown });
        if (message === undefined) await process.pause(IDLE_MS);
        else await runBuild(deps, message, shutdown);
      } catch {
        await process.pause(ERROR_PAUSE_MS);
      }
  };
  await Promise.all(Array.from({ length: WORKERS }, worker));
  process.kill();
}
