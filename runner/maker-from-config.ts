import { fetchPubliclyThrough, fetchThrough } from '#adapters/upstream/fetch-by-node-http.ts';
import { type ProxyConfig, proxiesOf } from '#adapters/upstream/proxies.ts';
import type { Distro } from '#core/catalogue/distro.ts';
import type { Leftover } from './files/disposal.ts';
import { type ImagebuilderMaker, imagebuilderMaker } from './imagebuilder/imagebuilder-maker.ts';
import type { ImagebuilderMakerOptions } from './imagebuilder/maker-options.ts';
import { OUTPUT_LIMITS } from './imagebuilder/output/output-limits.ts';
import type { UsignPublicKey } from './signing/usign.ts';

/** The settings of a process that builds. Sizes are in bytes. */
export interface MakerConfig extends ProxyConfig {
  readonly DISTROS: readonly Distro[];
  readonly UPSTREAM_URL: string;
  readonly IMAGEBUILDER_CACHE_MB: number;
  readonly BUILD_MEMORY_MB: number;
  readonly MAX_BUILD_DISK_MB: number;
  readonly MAX_OUTPUT_MB: number;
  readonly JOB_TIMEOUT: number;
  readonly VERIFY: NonNullable<ImagebuilderMakerOptions['verify']>;
  readonly SANDBOX: 'auto' | NonNullable<ImagebuilderMakerOptions['sandbox']>;
  readonly cacheDir: string;
  readonly workDir: string;
  readonly keyDir: string;
}

export interface MakerParts extends Pick<ImagebuilderMakerOptions, 'fetch' | 'downloadAttempts' | 'onStillLeft'> {
  /** The parsed `TRUSTED_KEYS`. */
  readonly keys: readonly UsignPublicKey[];
  /** Called when something that a build left behind could not be removed and was set aside. */
  readonly onLeftover: (leftover: Leftover) => void;
}

/** Returns an image maker that runs OpenWrt's ImageBuilder with these settings. */
export const makerFromConfig = (config: MakerConfig, parts: MakerParts): ImagebuilderMaker =>
  imagebuilderMaker({
    upstreamUrl: config.UPSTREAM_URL,
    distros: config.DISTROS,
    cacheDirectory: config.cacheDir,
    workDirectory: config.workDir,
    keyDirectory: config.keyDir,
    cacheBytes: config.IMAGEBUILDER_CACHE_MB,
    limits: { totalMemoryBytes: config.BUILD_MEMORY_MB },
    maxDiskBytes: config.MAX_BUILD_DISK_MB,
    outputLimits: { ...OUTPUT_LIMITS, bytes: config.MAX_OUTPUT_MB },
    timeoutMs: config.JOB_TIMEOUT * 1000,
    verify: config.VERIFY,
    fetch: fetchThrough(proxiesOf(config)),
    fetchPublicly: fetchPubliclyThrough(proxiesOf(config)),
    ...(config.SANDBOX !== 'auto' && { sandbox: config.SANDBOX }),
    ...parts,
  });
