import { type BuildView, getBuildStatus } from '#core/build/build-status.ts';
import { type Submitted, submitBuild } from '#core/build/submit-build.ts';
import { timeOfBuilds } from '#core/build/time-of-builds.ts';
import { DEFAULT_BRANCHES } from '#core/catalogue/branches.ts';
import { AsuError } from '#core/errors.ts';
import type { BuildRequest } from '#core/request/build-request.ts';
import { preparationMemory } from '#core/request/preparation-memory.ts';
import type { RequestHash } from '#core/request/request-hash.ts';
import { recordStatistics } from '#core/statistics/record-statistics.ts';
import { inTurn } from '#lib/in-turn.ts';
import type { SimulatedProcess } from '../process.ts';
import type { AnswerChecks } from '../promises/check-answers.ts';
import { CATALOGUE, POLICY } from '../requests.ts';
import type { World } from '../world.ts';
import { type Machine, machine } from './machine.ts';

/** What a process that answers clients offers. */
export interface Api {
  readonly process: SimulatedProcess;
  submit(request: BuildRequest): Promise<Submitted>;
  status(hash: RequestHash): Promise<BuildView>;
}

const FLUSH_EVERY_MS = 10_000;

/** Starts a machine that answers POST and GET of builds, as `functions/build-submit` and `functions/status` do. */
export function api(world: World, name: string, checks: AnswerChecks): Machine<Api> {
  const maxPending = world.randomOf(name).pick([2, 100, 100]);
  return machine(world, name, (process): Api => {
    let requests = 0;
    const { now, monotonic } = process;
    const recorder = recordStatistics({
      statistics: process.use('statistics', world.ports.statistics),
      branches: () => DEFAULT_BRANCHES,
      now,
      onError: () => undefined,
    });
    process.every(FLUSH_EVERY_MS, () => void recorder.flush());
    const state = {
      positions: process.use('positions', world.ports.positionsOfProcess()),
      artifacts: process.use('artifacts', world.ports.artifacts),
      results: new Map<string, string>(),
      now,
      timeOf: timeOfBuilds(now, monotonic),
    };
    const submitting = {
      ...state,
      builds: process.use('builds', world.ports.builds),
      queue: process.use('queue', world.ports.queue),
      catalogue: CATALOGUE,
      policy: POLICY,
      memory: preparationMemory(),
      maxPendingBuilds: () => maxPending,
      inTurn: inTurn(),
    };
    const reading = { ...state, builds: process.use('builds', world.ports.buildsBehind) };
    return {
      process,
      submit: async (request) => {
        requests += 1;
        const correlationId = `${process.name}-${requests}`;
        try {
          const sinceMs = world.scheduler.time();
          const submitted = await submitBuild(submitting, request, { correlationId });
          recorder.onSubmitted(submitted, 'client/1');
          checks.submitted(process, submitted, sinceMs);
          return submitted;
        } catch (error) {
          if (error instanceof AsuError) recorder.onRejected('client/1');
          throw error;
        }
      },
      status: (hash) => checks.answer(process, hash, () => getBuildStatus(reading, hash)),
    };
  });
}
