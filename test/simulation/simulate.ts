import { api } from './actors/api.ts';
import { cdn } from './actors/cdn.ts';
import { client } from './actors/client.ts';
import { machineFaults, runner } from './actors/runner.ts';
import { sweeper } from './actors/sweeper.ts';
import type { BrokenPromise } from './broken-promise.ts';
import type { Fault } from './faults.ts';
import { answerChecks } from './promises/check-answers.ts';
import { checkEnd } from './promises/check-end.ts';
import { checkResults } from './promises/check-results.ts';
import { leftoverExcuses } from './promises/orphans.ts';
import { watchObjects } from './promises/watch-objects.ts';
import { watchRows } from './promises/watch-rows.ts';
import { REQUESTS } from './requests.ts';
import { type CallCount, makeWorld, type WorldOptions } from './world.ts';

/** What one seed has shown. */
export interface Outcome {
  readonly seed: number;
  readonly broken: BrokenPromise | undefined;
  readonly steps: number;
  readonly faults: readonly Fault[];
  /** Builds that ended as done. */
  readonly builds: number;
  readonly calls: ReadonlyMap<string, CallCount>;
  readonly trace: readonly string[];
}

/** What follows the faults: long enough for every build to end. */
const QUIET_MS = 900_000;

/** Lets the whole system live for half an hour of its time, the first fifteen minutes with faults. */
export async function simulate(options: WorldOptions): Promise<Outcome> {
  const world = makeWorld(options);
  watchRows(world);
  watchObjects(world);
  const excuses = leftoverExcuses(world);
  const checks = answerChecks(world);
  const apis = ['api-1', 'api-2'].map((name) => api(world, name, checks));
  const random = world.randomOf('scenario');
  const edge = random.chance(0.5) ? cdn(world) : undefined;
  const [first, ...others] = REQUESTS;
  const requests = [first, ...others.filter(() => random.chance(0.5))].filter((one) => one !== undefined);
  for (let n = 1; n <= 2 + random.below(4); n += 1) client(world, `client-${n}`, { apis, cdn: edge, requests });
  const faults = machineFaults(world);
  for (let n = 1; n <= 1 + random.below(3); n += 1) runner(world, `runner-${n}`, faults);
  for (const name of ['sweeper-1', 'sweeper-2']) sweeper(world, name);

  /** Whether nothing can happen any more: faults have ended, and no build, message or count is left. */
  const isOver = () =>
    !world.isFaulty() &&
    world.truth.table.rows().length === 0 &&
    world.ports.messagesLeft() === 0 &&
    world.truth.statistics.counted().every(({ isEnded }) => isEnded);
  const look = () => {
    if (world.takeChanged()) checkResults(world, edge?.cached() ?? []);
    const broken = world.broken();
    if (broken !== undefined) throw broken;
    return !isOver();
  };
  let builds = 0;
  world.onWrite(({ before, after }) => {
    if (after?.state === 'done' && before?.state === 'building') builds += 1;
  });
  try {
    await world.scheduler.run(world.faultsEndMs + QUIET_MS, look);
    checkEnd(world, checks.accepted, excuses);
  } catch (error) {
    if (error !== world.broken()) throw error;
  }
  const { seed, calls, trace } = world;
  return { seed, broken: world.broken(), steps: world.scheduler.steps(), faults: world.faults.met, builds, calls, trace: trace.lines };
}
