import { stat } from 'node:fs/promises';
import { assertWritable } from '#adapters/disk/assert-writable.ts';
import { prometheusMetrics } from '#observe/metrics.ts';
import { processLog } from '#observe/process-log.ts';
import { loadConfig } from '#runner/config.ts';
import type { SandboxFacts } from '#runner/imagebuilder/sandbox/sandbox-facts.ts';
import { makerFromConfig } from '#runner/maker-from-config.ts';
import { startRunner } from '#runner/start-runner.ts';
import { runnerConfig } from './config.ts';
import { type Service, startService } from './start-service.ts';

/** The age at which the runner's file is no sign of life. The runner touches it every ten seconds. */
const ALIVE_MS = 60_000;

/**
 * The runner with health, readiness and metrics beside it. It takes builds until it is stopped; then the process ends.
 */
export async function startRunnerService(config = runnerConfig(), building = loadConfig()): Promise<Service> {
  const log = processLog(config.LOG_LEVEL, config.SERVICE_NAME);
  const { ALIVE_FILE: aliveFile } = building;
  const alive = async () => {
    if (aliveFile === undefined) return;
    const { mtimeMs } = await stat(aliveFile);
    // A time in the future is no sign of life either, since someone has set the clock back.
    if (Math.abs(Date.now() - mtimeMs) > ALIVE_MS) throw new Error('no sign of life');
  };
  const metrics = prometheusMetrics(config.SERVICE_NAME);
  // The runner makes its directories and its file while it starts, so the checks read them only later.
  const readyChecks = {
    runner: alive,
    builds: () => assertWritable(building.workDir),
    imagebuilders: () => assertWritable(building.cacheDir),
  };
  let sandbox: SandboxFacts | undefined;
  const onSandbox = (facts: SandboxFacts) => {
    sandbox = facts;
    metrics.onSandbox(facts);
  };
  const service = await startService(config, { log, metrics, facts: () => ({ sandbox }) }, { routes: [], checks: {}, readyChecks });
  // The runner listens for SIGTERM itself. Its promise settles when it has handed back its last build, or may take no
  // further one.
  const ended = startRunner(building, log, makerFromConfig, { ...metrics, onSandbox }).finally(service.close);
  return { ...service, ended, close: () => ended };
}
