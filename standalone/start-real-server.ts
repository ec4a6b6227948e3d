import type { Log } from '#http/log.ts';
import { imagebuilderMaker } from '#runner/imagebuilder/imagebuilder-maker.ts';
import { parseUsignPublicKey } from '#runner/signing/usign.ts';
import { ConfigError, type StandaloneConfig } from './config.ts';
import { type Standalone, startStandalone } from './server.ts';
import { stdoutLog } from './stdout-log.ts';

export type { Standalone };

/** The standalone server with the real runner: what `npm start` and the demo run. */
export async function startRealServer(config: StandaloneConfig, log: Log = stdoutLog(config.LOG_LEVEL)): Promise<Standalone> {
  const maker = await imagebuilderMaker({
    upstreamUrl: config.UPSTREAM_URL,
    cacheDirectory: config.cacheDir,
    workDirectory: config.workDir,
    keyDirectory: config.keyDir,
    cacheBytes: config.IMAGEBUILDER_CACHE_MB,
    verify: config.VERIFY,
    keys: config.TRUSTED_KEYS.map(trustedKey),
    timeoutMs: config.JOB_TIMEOUT * 1000,
    ...(config.SANDBOX !== 'auto' && { sandbox: config.SANDBOX }),
  });
  log.info('runner ready', { sandbox: maker.sandboxLevel, custom_repositories: maker.allowsCustomRepositories });
  return startStandalone(config, { log, imageMaker: maker, signingKey: maker.publicKey, mustRetire: () => maker.mustRetire() });
}

function trustedKey(text: string) {
  const key = parseUsignPublicKey(text);
  if (key === undefined) throw new ConfigError(`TRUSTED_KEYS=${text}: expected usign public keys (base64, 56 characters)`);
  return key;
}
