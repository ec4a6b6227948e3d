import { availableParallelism, homedir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { REBUILD_PAUSE_SECONDS } from '#core/build/build.ts';
import { RETRY_DELAYS_SECONDS } from '#core/build/run-build.ts';
import { UPLOAD_SECONDS } from '#core/build/upload-output.ts';
import { addressRanges } from '#http/rate-limit/address-ranges.ts';
import { DEFAULTS } from '#runner/imagebuilder/maker-options.ts';
import { OUTPUT_LIMITS } from '#runner/imagebuilder/output/output-limits.ts';
import { parseUsignPublicKey } from '#runner/signing/usign.ts';
import { parseDuration } from '#settings/duration.ts';
import { logSettings, offerSettings, timeToLiveSettings, upstreamSettings } from '#settings/function-settings.ts';
import { baseUrl, count, flag, seconds, words } from '#settings/kinds.ts';
import { buildMemory, megabytes } from '#settings/sizes.ts';

/** What is known of a setting beside its schema. */
export interface SettingFacts {
  readonly description: string;
  /** SIGHUP puts a new value into force; all others need a restart. */
  readonly reloads?: true;
  /** What a configuration file may give, beside a single value. */
  readonly takes?: 'list' | 'map';
  /** What the value counts: seconds, or bytes of megabytes. People read and write `10m` and `20480`. */
  readonly unit?: 'seconds' | 'megabytes';
}

/** Longer ones would overflow timers or dates, and are slips. */
const atMost = (longest: string) => seconds.refine((value) => value <= (parseDuration(longest) ?? 0), `expected at most ${longest}`);

const durations = words.pipe(z.array(atMost('1d')).min(1, 'expected at least one duration'));

const timeToLive = (name: keyof typeof timeToLiveSettings) =>
  timeToLiveSettings[name].refine((value) => value <= 3_650 * 86_400, 'expected at most 3650d');

/** `~/` is the home directory, as a shell would have it. */
const path = z
  .string()
  .min(1)
  .transform((text) => (text.startsWith('~/') ? join(homedir(), text.slice(2)) : text));

/** Upstream's URL is told to every client, and fetch refuses it with a password inside. */
const publicUrl = baseUrl.refine(
  (url) => URL.parse(url)?.username === '' && URL.parse(url)?.password === '',
  'expected a URL without password',
);

const trustedKeys = words.refine(
  (keys) => keys.every((key) => parseUsignPublicKey(key) !== undefined),
  'expected usign public keys (base64, 56 characters)',
);

const facts = (known: SettingFacts) => ({ ...known });

/**
 * Every setting of the standalone server, by the name of its environment variable; in a configuration file in lower case. Names that
 * the reference server has keep their meaning (docs/configuration.md); each may also be given with `ASU_` before it.
 */
export const Settings = z.object({
  HOST: z
    .string()
    .min(1)
    .default('127.0.0.1')
    .meta(facts({ description: 'Address to listen on.' })),
  PORT: count(0, 65_535)
    .default(8000)
    .meta(facts({ description: 'Port to listen on; 0 takes any.' })),
  ASU_DATA_DIR: path.default('./data').meta(facts({ description: 'Where everything is kept: database, images, caches, signing key.' })),
  ASU_DATABASE_PATH: path.optional().meta(facts({ description: 'File of the database; default: `asu.db` in the data directory.' })),
  PUBLIC_PATH: path
    .optional()
    .meta(facts({ description: 'Directory of the images, which lie in `store/` below; default: `public` in the data directory.' })),
  UPSTREAM_URL: publicUrl
    .default(upstreamSettings.UPSTREAM_URL.parse(undefined))
    .meta(facts({ description: 'Where ImageBuilders, packages and their indexes come from.' })),
  PREPARE_SERVICE_URL: baseUrl.optional().meta(
    facts({
      description: 'Prepare service to ask for `/api/v1/build/prepare`; without it, or when it is away, packages are resolved here.',
    }),
  ),
  ALLOW_DEFAULTS: offerSettings.ALLOW_DEFAULTS.meta(
    facts({ description: 'Whether requests may carry a first-boot script (`defaults`).', reloads: true }),
  ),
  REPOSITORY_ALLOW_LIST: offerSettings.REPOSITORY_ALLOW_LIST.meta(
    facts({ description: 'URL prefixes that requests may name as package repositories.', reloads: true, takes: 'list' }),
  ),
  MAX_CUSTOM_ROOTFS_SIZE_MB: offerSettings.MAX_CUSTOM_ROOTFS_SIZE_MB.meta(
    facts({ description: 'Largest `rootfs_size_mb`.', reloads: true }),
  ),
  MAX_DEFAULTS_LENGTH: offerSettings.MAX_DEFAULTS_LENGTH.meta(facts({ description: 'Longest `defaults`, in characters.', reloads: true })),
  MAX_PENDING_JOBS: count(0)
    .default(1_000)
    .meta(facts({ description: 'With more builds waiting than this, new ones are refused (429).', reloads: true })),
  MAX_PENDING_PER_CLIENT: count(0)
    .optional()
    .meta(
      facts({
        description:
          'Builds that one client (an IPv4 address or IPv6 /64) may have under way while others wait, then 429; 0: any number. Behind a reverse proxy all clients are one until `TRUSTED_PROXIES` names it.',
        reloads: true,
      }),
    ),
  RATE_LIMIT_BUILDS_PER_HOUR: count(0)
    .default(0)
    .meta(
      facts({
        description:
          'New builds that one client (an IPv4 address or IPv6 /64) may ask for, then 429; 0: as many as it likes. Behind a reverse proxy all clients are one until `TRUSTED_PROXIES` names it.',
        reloads: true,
      }),
    ),
  RATE_LIMIT_BUILDS_BURST: count(1)
    .default(20)
    .meta(facts({ description: 'How many of them at once.', reloads: true })),
  TRUSTED_PROXIES: addressRanges.meta(
    facts({
      description: 'Addresses and ranges whose `X-Forwarded-For` is believed, such as `127.0.0.1` or `10.0.0.0/8`.',
      reloads: true,
      takes: 'list',
    }),
  ),
  JOB_TIMEOUT: atMost('1d')
    .default(600)
    .meta(facts({ description: 'Longest time one build may take.', unit: 'seconds' })),
  MAX_BUILD_DISK_MB: megabytes.default(DEFAULTS.maxDiskBytes).meta(
    facts({
      description: 'Disk that the files of one build may take while it runs; a build that takes more is ended.',
      unit: 'megabytes',
    }),
  ),
  MAX_OUTPUT_MB: megabytes.default(OUTPUT_LIMITS.bytes).meta(
    facts({
      description:
        'What the files that one build leaves may have together, holes included; more fails the build. Wants to grow with `MAX_CUSTOM_ROOTFS_SIZE_MB`.',
      unit: 'megabytes',
    }),
  ),
  UPLOAD_TIMEOUT: atMost('1d')
    .default(UPLOAD_SECONDS)
    .meta(facts({ description: 'Longest time that storing the files of one build may take; then it is built again.', unit: 'seconds' })),
  BUILD_TTL: timeToLive('BUILD_TTL').meta(facts({ description: 'How long a finished build is kept.', reloads: true, unit: 'seconds' })),
  BUILD_TTL_UNVERSIONED: timeToLive('BUILD_TTL_UNVERSIONED').meta(
    facts({ description: 'The same for requests without `packages_versions`.', reloads: true, unit: 'seconds' }),
  ),
  BUILD_DEFAULTS_TTL: timeToLive('BUILD_DEFAULTS_TTL').meta(
    facts({ description: 'The same for requests with `defaults`.', reloads: true, unit: 'seconds' }),
  ),
  BUILD_FAILURE_TTL: timeToLive('BUILD_FAILURE_TTL').meta(
    facts({ description: 'How long a failure that would repeat itself is remembered.', reloads: true, unit: 'seconds' }),
  ),
  WORKER_CONCURRENT: count(0, 64)
    .default(Math.max(1, Math.floor(availableParallelism() / 2)))
    .meta(facts({ description: 'Builds at once.' })),
  WORKER_POLL_SECONDS: z
    .string()
    .trim()
    .regex(/^\d+(\.\d+)?$/, 'expected a number of seconds')
    .transform(Number)
    .pipe(z.number().min(0.05).max(60))
    .default(0.25)
    .meta(facts({ description: 'How often builds are looked for that another process queued; our own are seen at once.' })),
  IMAGEBUILDER_CACHE_MB: megabytes
    .default(DEFAULTS.cacheBytes)
    .meta(facts({ description: 'Disk that unpacked ImageBuilders and packages may take.', unit: 'megabytes' })),
  BUILD_MEMORY_MB: buildMemory.meta(
    facts({
      description: 'Memory that one build may take, all its processes together; a build that wants more fails.',
      unit: 'megabytes',
    }),
  ),
  VERIFY: z
    .enum(['require', 'known', 'checksum'])
    .default('known')
    .meta(
      facts({
        description:
          'Signature of sha256sums: always required, required where the key is known, or never. Images are signed with our key only where it is good.',
      }),
    ),
  TRUSTED_KEYS: trustedKeys
    .default([])
    .meta(facts({ description: 'Further usign public keys (base64) whose signatures count.', takes: 'list' })),
  BUILD_KEY: path
    .refine((text) => /(^|\/)key-build$/.test(text), 'expected the path of a file named key-build')
    .optional()
    .meta(
      facts({
        description: 'File `key-build` of the signing key, others beside it; default: made on first start in the data directory.',
      }),
    ),
  SANDBOX: z
    .enum(['auto', 'bwrap', 'unshare', 'uid', 'plain'])
    .default('auto')
    .meta(facts({ description: 'How builds are kept from the machine; auto: the strongest that works here.' })),
  BRANCHES: offerSettings.BRANCHES.meta(
    facts({ description: 'Branches to offer, in a variable as JSON; replaces the built-in map.', reloads: true, takes: 'map' }),
  ),
  CATALOGUE_REFRESH: atMost('1d')
    .default(600)
    .meta(facts({ description: 'How old what is known of a target may get before upstream is asked again.', unit: 'seconds' })),
  SWEEP_EVERY: atMost('1d')
    .default(30)
    .meta(facts({ description: 'How often lost messages, lost runners and expired builds are looked for.', unit: 'seconds' })),
  LEASE: atMost('1d')
    .default(60)
    .meta(
      facts({ description: 'How long a build waits for a runner that shows no sign of life before another takes it.', unit: 'seconds' }),
    ),
  RETRY_DELAYS: durations
    .default(() => [...RETRY_DELAYS_SECONDS])
    .meta(
      facts({
        description: 'Pauses between the attempts at a build that met a full disk, a broken download or the like.',
        takes: 'list',
        unit: 'seconds',
      }),
    ),
  REBUILD_PAUSE: atMost('1h')
    .default(REBUILD_PAUSE_SECONDS)
    .meta(
      facts({
        description: 'How long after a failure without fault of the request it is told to who asks again; then it is built again.',
        unit: 'seconds',
        reloads: true,
      }),
    ),
  SERVER_STATS: flag
    .default(true)
    .meta(facts({ description: 'Whether requests and builds are counted for `/stats`; failures always are.' })),
  CONTACT: offerSettings.CONTACT.meta(facts({ description: 'Shown to clients as whom to write to.', reloads: true })),
  LOG_LEVEL: logSettings.LOG_LEVEL.meta(facts({ description: 'Least level that is logged.', reloads: true })),
});

export type Settings = z.output<typeof Settings>;
export type SettingName = keyof typeof Settings.shape;

export const SETTING_NAMES = Object.keys(Settings.shape) as SettingName[];

export const settingFacts = (name: SettingName): SettingFacts => z.globalRegistry.get(Settings.shape[name]) as unknown as SettingFacts;
