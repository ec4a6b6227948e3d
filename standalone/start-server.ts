import { fetchThrough } from '#adapters/upstream/fetch-by-node-http.ts';
import { proxiesOf } from '#adapters/upstream/proxies.ts';
import type { Log } from '#observe/log.ts';
import { measuredFetch } from '#observe/measured-fetch.ts';
import type { UpstreamOutcome } from '#observe/metric-events.ts';
import type { ImagebuilderMakerOptions } from '#runner/imagebuilder/maker-options.ts';
import type { SandboxLevel } from '#runner/imagebuilder/sandbox/sandbox.ts';
import { logSandbox } from '#runner/log-sandbox.ts';
import { makerFromConfig } from '#runner/maker-from-config.ts';
import { parseUsignPublicKey } from '#runner/signing/usign.ts';
import { SettingsError } from '#settings/read-settings.ts';
import type { StandaloneConfig } from './config.ts';
import { lockData } from './lock-data.ts';
import { relay } from './relay.ts';
import { type Standalone, startStandalone } from './server.ts';
import { stdoutLog } from './stdout-log.ts';

export type { Standalone };

/** How often a download is tried. Only tests change it. */
export type RunnerOverrides = Pick<ImagebuilderMakerOptions, 'downloadAttempts'>;

/** Starts the standalone server with OpenWrt's ImageBuilder, as `npm start` and the demo do. */
export async function startServer(
  config: StandaloneConfig,
  log: Log = stdoutLog(config.LOG_LEVEL),
  overrides: RunnerOverrides = {},
): Promise<Standalone> {
  const unlock = lockData(config);
  const leftovers = relay<[]>();
  const downloads = relay<[outcome: UpstreamOutcome, seconds: number]>();
  const maker = makerFromConfig(config, {
    ...overrides,
    keys: config.TRUSTED_KEYS.map(trustedKey),
    onLeftover: (leftover) => {
      log.warn('leftover of a build not removed', { ...leftover });
      leftovers.send();
    },
    onStillLeft: (count) => log.warn('leftovers of builds still not removed', { count }),
    fetch: measuredFetch(downloads.send, fetchThrough(proxiesOf(config))),
  });
  const sandbox = await maker.ready();
  logSandbox(log, sandbox);
  const safe = (settings: StandaloneConfig) => withSafeRepositories(settings, sandbox.level, log);
  const parts = { log, imageMaker: maker, signingKey: await maker.publicKey(), sandbox, leftovers, downloads, isAlone: true };
  const server = await startStandalone(safe(config), parts);
  return {
    ...server,
    reconfigure: (settings) => server.reconfigure(safe(settings)),
    close: async () => {
      await server.close();
      unlock();
    },
  };
}

/**
 * The settings without custom repositories where builds have no namespaces. Package scripts of such repositories are
 * code from anywhere: without namespaces a runner has to end after running them, since they may leave processes behind.
 * Here the runner is the server itself.
 */
function withSafeRepositories(config: StandaloneConfig, sandbox: SandboxLevel, log: Log): StandaloneConfig {
  if (config.REPOSITORY_ALLOW_LIST.length === 0 || sandbox === 'bwrap' || sandbox === 'unshare') return config;
  log.warn('custom repositories refused: builds have no namespaces of their own here; install bubblewrap', { sandbox });
  return { ...config, REPOSITORY_ALLOW_LIST: [] };
}

function trustedKey(text: string) {
  const key = parseUsignPublicKey(text);
  if (key === undefined) throw new SettingsError(`TRUSTED_KEYS=${text}: expected usign public keys (base64, 56 characters)`);
  return key;
}
