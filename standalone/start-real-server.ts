import type { Log } from '#observe/log.ts';
import { imagebuilderMaker } from '#runner/imagebuilder/imagebuilder-maker.ts';
import type { ImagebuilderMakerOptions } from '#runner/imagebuilder/maker-options.ts';
import { OUTPUT_LIMITS } from '#runner/imagebuilder/output/output-limits.ts';
import type { SandboxLevel } from '#runner/imagebuilder/sandbox/sandbox.ts';
import { parseUsignPublicKey } from '#runner/signing/usign.ts';
import { SettingsError } from '#settings/read-settings.ts';
import type { StandaloneConfig } from './config.ts';
import { leftovers } from './leftovers.ts';
import { lockData } from './lock-data.ts';
import { type Standalone, startStandalone } from './server.ts';
import { stdoutLog } from './stdout-log.ts';

export type { Standalone };

/** How often and how patiently a download is tried; the runner's own figures serve everybody but tests. */
export type RunnerOverrides = Pick<ImagebuilderMakerOptions, 'downloadAttempts'>;

/** The standalone server with the real runner: what `npm start` and the demo run. */
export async function startRealServer(
  config: StandaloneConfig,
  log: Log = stdoutLog(config.LOG_LEVEL),
  overrides: RunnerOverrides = {},
): Promise<Standalone> {
  const unlock = lockData(config);
  const left = leftovers();
  const maker = imagebuilderMaker({
    upstreamUrl: config.UPSTREAM_URL,
    cacheDirectory: config.cacheDir,
    workDirectory: config.workDir,
    keyDirectory: config.keyDir,
    cacheBytes: config.IMAGEBUILDER_CACHE_MB,
    verify: config.VERIFY,
    keys: config.TRUSTED_KEYS.map(trustedKey),
    limits: { totalMemoryBytes: config.BUILD_MEMORY_MB },
    timeoutMs: config.JOB_TIMEOUT * 1000,
    onLeftover: (leftover) => {
      log.warn('leftover of a build not removed', { ...leftover });
      left.add();
    },
    onStillLeft: (count) => log.warn('leftovers of builds still not removed', { count }),
    maxDiskBytes: config.MAX_BUILD_DISK_MB,
    outputLimits: { ...OUTPUT_LIMITS, bytes: config.MAX_OUTPUT_MB },
    ...overrides,
    ...(config.SANDBOX !== 'auto' && { sandbox: config.SANDBOX }),
  });
  const { sandbox } = await maker.ready();
  log.info('runner ready', { sandbox });
  const safe = (settings: StandaloneConfig) => withSafeRepositories(settings, sandbox, log);
  const parts = { log, imageMaker: maker, signingKey: await maker.publicKey(), leftovers: left, isAlone: true };
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
 * Package scripts of a client's own repositories are code from anywhere. Without namespaces nobody knows what such a build leaves
 * behind, and the runner would have to end after it; here it is the server itself, so they are refused.
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
