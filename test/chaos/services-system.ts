import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { demoUpstreamKey } from '#demo/upstream/key.ts';
import { uniqueNames } from '#local-aws/resources/aws-resources.ts';
import { createResources } from '#local-aws/resources/create-resources.ts';
import { localClients } from '#local-aws/resources/local-clients.ts';
import { startTopology, type Topology } from '#services/start-topology.ts';
import { SERVICE_NAMES, type ServiceName } from '#services/topology.ts';
import { checkResources } from './check-resources.ts';
import { leftByBuilds } from './left-by-builds.ts';
import type { SteppedClock } from './stepped-clock.ts';
import { CHAOS_SETTINGS, type System, type SystemHooks } from './system.ts';

export interface ServicesOptions extends SystemHooks {
  readonly directory: string;
  readonly upstreamUrl: string;
  readonly localStackUrl: string;
  readonly clock: SteppedClock;
}

/** Half of all stops meet the runner, which builds. */
const OTHERS = SERVICE_NAMES.filter((name) => name !== 'runner');
const chosen = (pick: number): ServiceName => (pick < 0.5 ? 'runner' : (OTHERS[Math.floor((pick - 0.5) * 2 * OTHERS.length)] ?? 'gateway'));

/** Returns every service as a process of its own, over new resources in a LocalStack. */
export function servicesSystem({ directory, upstreamUrl, localStackUrl, clock, onLine }: ServicesOptions): System {
  const names = uniqueNames();
  const clients = localClients(localStackUrl);
  const builds = join(directory, 'runner', 'work', 'builds');
  let topology: Topology | undefined;
  let down: ServiceName | undefined;

  const stop = async (name: ServiceName): Promise<string[]> => {
    down = name;
    const code = await topology?.kill(name, 'SIGTERM');
    const faults = code === 0 ? [] : [`the ${name} service ended with ${code} when it was asked to stop`];
    return name === 'runner' ? [...faults, ...(await leftByBuilds(builds))] : faults;
  };
  return {
    get url() {
      return topology?.urls.gateway ?? 'http://127.0.0.1:1';
    },
    start: async () => {
      await createResources(clients, names);
      topology = await startTopology({
        localstackUrl: localStackUrl,
        upstreamUrl,
        directory,
        names,
        anyPorts: true,
        environment: {
          ...CHAOS_SETTINGS,
          ...clock.environment,
          TRUSTED_KEYS: demoUpstreamKey.base64,
          RATE_LIMIT_BUILDS_BURST: '100000',
        },
        onLine: (_, line) => onLine(line),
      });
    },
    kill: async (pick) => {
      down = chosen(pick);
      await topology?.kill(down);
      return down;
    },
    terminate: async (pick) => ({ name: chosen(pick), faults: await stop(chosen(pick)) }),
    restart: async ({ emptiesCache = false, killAfterMs } = {}) => {
      if (down === undefined || topology === undefined) return;
      if (emptiesCache && down === 'runner')
        await rm(join(directory, 'runner', 'cache', 'imagebuilders'), { recursive: true, force: true });
      if (killAfterMs !== undefined) {
        const starting = topology.start(down).catch(() => undefined);
        await delay(killAfterMs);
        await topology.kill(down);
        await starting;
      }
      await topology.start(down);
      down = undefined;
    },
    stopBuilding: () => stop('runner'),
    checkStored: (stops) => checkResources(clients, names, stops),
    close: async () => {
      await topology?.close();
    },
  };
}
