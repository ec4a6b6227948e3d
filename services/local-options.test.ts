import { describe, expect, it } from 'vitest';
import { demoCustomFeedKey, demoUpstreamKey } from '#demo/upstream/key.ts';
import { loadConfig as loadRunnerConfig } from '#runner/config.ts';
import { localOptions } from './local-options.ts';
import { givenSettings, type ServiceName, serviceEnvironment, TOPOLOGY } from './topology.ts';

const serviceOf = (name: ServiceName) => {
  const service = TOPOLOGY.find((one) => one.name === name);
  if (service === undefined) throw new Error(`There is no service ${name}`);
  return service;
};
const settingsOf = (name: ServiceName, env: Readonly<Record<string, string | undefined>>) => givenSettings(serviceOf(name), env);

describe('npm run services', () => {
  it('takes UPSTREAM_URL, and OpenWrt’s without it', () => {
    expect(localOptions({ UPSTREAM_URL: 'http://mirror.example' }, undefined).upstreamUrl).toBe('http://mirror.example');
    expect(localOptions({ ASU_UPSTREAM_URL: 'http://mirror.example' }, undefined).upstreamUrl).toBe('http://mirror.example');
    expect(localOptions({ UPSTREAM_URL: '' }, undefined).upstreamUrl).toBe('https://downloads.openwrt.org');
  });

  it('gives the runner TRUSTED_KEYS, and each service the settings that are its own', () => {
    const env = { TRUSTED_KEYS: demoCustomFeedKey.base64, ASU_MAX_RUNNERS: '3', MAX_PENDING_JOBS: '', PATH: '/bin', HOME: '/root' };
    expect(settingsOf('runner', env)).toEqual({ TRUSTED_KEYS: demoCustomFeedKey.base64 });
    expect(settingsOf('build', env)).toEqual({ MAX_RUNNERS: '3' });
    expect(settingsOf('stats', env)).toEqual({});
  });

  it('gives proxies to the services that read upstream, also by their names in lower case, which win', () => {
    const env = { https_proxy: 'http://lower:1', HTTPS_PROXY: 'http://upper:1', no_proxy: '*', http_proxy: '' };
    expect(settingsOf('runner', env)).toEqual({ HTTPS_PROXY: 'http://lower:1', NO_PROXY: '*' });
  });

  it('over the demo takes the demo’s upstream, and its key besides those that are given', () => {
    const { upstreamUrl, environment = {} } = localOptions(
      { UPSTREAM_URL: 'http://mirror.example', TRUSTED_KEYS: demoCustomFeedKey.base64 },
      'http://127.0.0.1:1',
    );
    expect(upstreamUrl).toBe('http://127.0.0.1:1');
    const fixed = serviceEnvironment(serviceOf('runner'), () => 'http://127.0.0.1:1');
    const keys = loadRunnerConfig({ ...fixed, ...environment }).TRUSTED_KEYS;
    expect(keys.map(({ id }) => id)).toEqual([demoCustomFeedKey.id, demoUpstreamKey.id]);
  });
});
