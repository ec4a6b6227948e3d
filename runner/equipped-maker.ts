import { OUTPUT_LIMITS } from '#runner/imagebuilder/output/output-limits.ts';
import type { RunnerConfig } from './config.ts';
import type { Leftover } from './files/disposal.ts';
import { type ImagebuilderMaker, imagebuilderMaker } from './imagebuilder/imagebuilder-maker.ts';
import { placeKeys } from './signing/place-keys.ts';

/** Makes images with OpenWrt's ImageBuilder and the keys that the settings have; downloads by `fetch` where one is given. */
export const equippedMaker =
  (fetch?: typeof globalThis.fetch) =>
  async (
    config: RunnerConfig,
    onLeftover: (leftover: Leftover) => void,
    onStillLeft?: (count: number) => void,
  ): Promise<ImagebuilderMaker> => {
    await placeKeys(config.keyDir, { 'key-build': config.SIGNING_SECRET, 'local-private-key.pem': config.APK_SIGNING_SECRET });
    return imagebuilderMaker({
      upstreamUrl: config.UPSTREAM_URL,
      cacheDirectory: config.cacheDir,
      workDirectory: config.workDir,
      keyDirectory: config.keyDir,
      cacheBytes: config.IMAGEBUILDER_CACHE_MB * 1024 * 1024,
      limits: { totalMemoryBytes: config.BUILD_MEMORY_MB * 1024 * 1024 },
      verify: config.VERIFY,
      keys: config.TRUSTED_KEYS,
      timeoutMs: config.JOB_TIMEOUT * 1000,
      onLeftover,
      ...(onStillLeft && { onStillLeft }),
      maxDiskBytes: config.MAX_BUILD_DISK_MB * 1024 * 1024,
      outputLimits: { ...OUTPUT_LIMITS, bytes: config.MAX_OUTPUT_MB * 1024 * 1024 },
      ...(config.SANDBOX !== 'auto' && { sandbox: config.SANDBOX }),
      ...(fetch && { fetch }),
    });
  };
