import { stat } from 'node:fs/promises';
import { processLog } from '#http/process-log.ts';
import { runnerConfig } from './config.ts';
import { type Service, startService } from './start-service.ts';

/** The runner touches its file every ten seconds. */
const ALIVE_MS = 60_000;

/** The runner of `runner/main.ts` with health, readiness and metrics beside it. Takes builds until it is told to stop; then the process ends. */
export async function startRunner(config = runnerConfig()): Promise<Service> {
  const log = processLog(config.LOG_LEVEL, config.SERVICE_NAME);
  const { ALIVE_FILE: aliveFile } = config;
  const alive = async () => {
    if (aliveFile === undefined) return;
    const { mtimeMs } = await stat(aliveFile);
    if (Date.now() - mtimeMs > ALIVE_MS) throw new Error('no sign of life');
  };
  const service = await startService(config, { log, checks: { runner: alive }, routes: () => [] });
  // It has its own ears for SIGTERM and settles when its last build is handed back, or when it may take no further one.
  const ended = import('#runner/main.ts').then(service.close);
  return { ...service, ended, close: () => ended };
}
