import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type ServerProcess, serverProcess } from '#test/support/server-process.ts';
import { checkDatabase } from './check-database.ts';
import { leftByBuilds } from './left-by-builds.ts';
import type { SteppedClock } from './stepped-clock.ts';
import { CHAOS_SETTINGS, type System, type SystemHooks } from './system.ts';

export interface StandaloneOptions extends SystemHooks {
  readonly directory: string;
  readonly upstreamUrl: string;
  readonly clock: SteppedClock;
}

/** A server that is asked to stop hands its builds back within this time. */
const STOP_MS = 30_000;

/** Returns the standalone server as a process of its own, with its data in `directory`. */
export function standaloneSystem({ directory, upstreamUrl, clock, onLine }: StandaloneOptions): System {
  let server: ServerProcess | undefined;
  let isClosed = false;
  /** Called with the lines of the process that runs. Those of a killed process may arrive after the next one's. */
  let hear: ((line: string) => void) | undefined;
  const start = async (killAfterMs?: number) => {
    const signal = killAfterMs === undefined ? undefined : AbortSignal.timeout(killAfterMs);
    const hearThis = onLine.bind(undefined);
    hear = hearThis;
    const hooks = { onLine: (line: string) => hear === hearThis && hearThis(line), ...(signal && { signal }) };
    const environment = { ...CHAOS_SETTINGS, ...clock.environment };
    const started = await serverProcess(directory, upstreamUrl, environment, [], hooks);
    server = started;
    if (isClosed) await started.kill();
  };
  const kill = async () => {
    hear = undefined;
    await server?.kill();
    server = undefined;
  };
  const stop = async (): Promise<string[]> => {
    if (server === undefined) return [];
    const stopping = server;
    server = undefined;
    const late = setTimeout(() => void stopping.kill(), STOP_MS);
    const code = await stopping.stop();
    clearTimeout(late);
    hear = undefined;
    const left = await leftByBuilds(join(directory, 'work', 'builds'));
    return [...(code === 0 ? [] : [`the server ended with ${code ?? 'SIGKILL after half a minute'} when it was asked to stop`]), ...left];
  };
  return {
    get url() {
      return server?.url ?? 'http://127.0.0.1:1';
    },
    start,
    kill: async () => {
      await kill();
      return 'server';
    },
    terminate: async () => ({ name: 'server', faults: await stop() }),
    restart: async ({ emptiesCache = false, killAfterMs } = {}) => {
      if (emptiesCache) await rm(join(directory, 'cache', 'imagebuilders'), { recursive: true, force: true });
      if (killAfterMs !== undefined) {
        await start(killAfterMs).catch(() => undefined);
        await kill();
      }
      await start();
    },
    stopBuilding: stop,
    checkStored: (stops) => checkDatabase(directory, stops),
    close: async () => {
      isClosed = true;
      await kill();
    },
  };
}
