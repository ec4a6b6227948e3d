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

/** Settings that a process gets from its environment, or that `compose.services.yaml` sets for all services. */
const NOT_THEIRS = /^(HOST|PORT|SERVICE_NAME|LOG_LEVEL|UPSTREAM_URL|CATALOGUE_URL|METRICS_NAMESPACE|DATA_DIR|ECS_AGENT_URI)$/;

/** Returns the settings that a function reads from its environment. */
function settingsOf(read: (env: Env) => unknown, given: Env): string[] {
  const asked = new Set<string>();
  const env = new Proxy(given, {
    get: (from, name: string) => {
      asked.add(name);
      return from[name];
    },
  });
  read(env);
  return [...asked].filter((name) => !/^(ASU_|[a-z])/.test(name) && !NOT_THEIRS.test(name));
}

describe('the topology', () => {
  it.each(TOPOLOGY)('gives $name every setting that it reads, and no other', (service) => {
    // With `CATALOGUE_URL`, the prepare service reads the given environment itself and not a copy of it.
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
