import { stat } from 'node:fs/promises';
import { assertWritable } from '#adapters/disk/assert-writable.ts';
import { fetchByNodeHttp } from '#adapters/upstream/fetch-by-node-http.ts';
import { measuredFetch } from '#observe/measured-fetch.ts';
import { prometheusMetrics } from '#observe/metrics.ts';
import { processLog } from '#observe/process-log.ts';
import { loadConfig } from '#runner/config.ts';
import { equippedMaker } from '#runner/equipped-maker.ts';
import { runRunner } from '#runner/run-runner.ts';
import { runnerConfig } from './config.ts';
import { type Service, startService } from './start-service.ts';

/** The runner touches its file every ten seconds. */
const ALIVE_MS = 60_000;

/** The runner with health, readiness and metrics beside it. Takes builds until it is told to stop; then the process ends. */
export async function startRunner(config = runnerConfig(), building = loadConfig()): Promise<Service> {
  const log = processLog(config.LOG_LEVEL, config.SERVICE_NAME);
  const { ALIVE_FILE: aliveFile } = building;
  const alive = async () => {
    if (aliveFile === undefined) return;
    const { mtimeMs } = await stat(aliveFile);
    // A file from a time that is still to come is no sign of life either: the clock was set back since.
    if (Math.abs(Date.now() - mtimeMs) > ALIVE_MS) throw new Error('no sign of life');
  };
  const metrics = prometheusMetrics(config.SERVICE_NAME);
  const checks = {
    runner: alive,
    builds: () => assertWritable(building.workDir),
    imagebuilders: () => assertWritable(building.cacheDir),
  };
  const service = await startService(config, { log, checks, metrics, routes: [] });
  // It has its own ears for SIGTERM and settles when its last build is handed back, or when it may take no further one.
  const maker = equippedMaker(measuredFetch(metrics.onUpstream, fetchByNodeHttp));
  const ended = runRunner(building, log, maker, metrics).finally(service.close);
  return { ...service, ended, close: () => ended };
}
