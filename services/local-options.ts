import { demoUpstreamKey } from '#demo/upstream/key.ts';
import type { TopologyOptions } from './start-topology.ts';

const UPSTREAM_URL = 'https://downloads.openwrt.org';

/**
 * Returns what `npm run services` takes from its environment: the upstream and the settings of the services. With the
 * demo upstream at `demoUrl`, that is the upstream, and its key counts besides those of `TRUSTED_KEYS`.
 */
export function localOptions(
  env: Readonly<Record<string, string | undefined>>,
  demoUrl: string | undefined,
): Pick<TopologyOptions, 'upstreamUrl' | 'settings' | 'environment'> {
  const given = (name: string) => env[`ASU_${name}`] || env[name] || '';
  if (demoUrl === undefined) return { upstreamUrl: given('UPSTREAM_URL') || UPSTREAM_URL, settings: env };
  return {
    upstreamUrl: demoUrl,
    settings: env,
    environment: { TRUSTED_KEYS: `${given('TRUSTED_KEYS')} ${demoUpstreamKey.base64}`.trim() },
  };
}
