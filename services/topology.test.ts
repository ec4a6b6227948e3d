import { describe, expect, it } from 'vitest';
import { DEVELOPMENT_NAMES } from '#local-aws/resources/aws-resources.ts';
import { loadConfig as loadRunnerConfig } from '#runner/config.ts';
import { buildConfig, catalogueConfig, maintenanceConfig, prepareConfig, runnerConfig, statsConfig, statusConfig } from './config.ts';
import { loadConfig as gatewayConfig } from './gateway/config.ts';
import { type ServiceName, serviceEnvironment, TOPOLOGY } from './topology.ts';

type Env = Readonly<Record<string, string | undefined>>;

const READERS: Readonly<Record<ServiceName, (env: Env) => unknown>> = {
  gateway: gatewayConfig,
  build: buildConfig,
  prepare: prepareConfig,
  status: statusConfig,
  catalogue: catalogueConfig,
  stats: statsConfig,
  maintenance: maintenanceConfig,
  runner: (env) => [runnerConfig(env), loadRunnerConfig(env)],
};

/** What a process knows by itself or gets from where it runs, and what `compose.services.yaml` sets for all. */
const NOT_THEIRS = /^(HOST|PORT|SERVICE_NAME|LOG_LEVEL|UPSTREAM_URL|CATALOGUE_URL|METRICS_NAMESPACE|DATA_DIR|ECS_AGENT_URI)$/;

/** The settings that a reader asks its environment for. */
function settingsOf(read: (env: Env) => unknown, given: Env): string[] {
  const asked = new Set<string>();
  const env = new Proxy(given, {
    get: (from, name: string) => {
      asked.add(name);
      return from[name];
    },
  });
  read(env);
  return [...asked].filter((name) => !name.startsWith('ASU_') && !NOT_THEIRS.test(name));
}

describe('the topology', () => {
  it.each(TOPOLOGY)('passes every setting to $name that it reads, and no other', (service) => {
    // With `CATALOGUE_URL` the prepare service reads the environment that it gets, and no copy of it.
    const fixed: Env = {
      ...serviceEnvironment(service, (name) => `http://${name}:1`, DEVELOPMENT_NAMES),
      CATALOGUE_URL: 'http://upstream:1',
    };
    const known = [...service.settings, ...Object.keys(fixed)];
    const settings = settingsOf(READERS[service.name], fixed);
    expect(settings.filter((name) => !known.includes(name))).toEqual([]);
    expect(service.settings.filter((name) => !settings.includes(name))).toEqual([]);
  });
});
