import { availableParallelism, homedir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { RETRY_DELAYS_SECONDS } from '#core/build/attempt.ts';
import { REBUILD_PAUSE_SECONDS } from '#core/build/build.ts';
import { UPLOAD_SECONDS } from '#core/build/upload-output.ts';
import { addressRanges } from '#http/rate-limit/address-ranges.ts';
import { DEFAULTS } from '#runner/imagebuilder/maker-options.ts';
import { OUTPUT_LIMITS } from '#runner/imagebuilder/output/output-limits.ts';
import { parseUsignPublicKey } from '#runner/signing/usign.ts';
import { distroSettings } from '#settings/distro-settings.ts';
import { parseDuration } from '#settings/duration.ts';
import { forecastSettings } from '#settings/forecast-settings.ts';
import { logSettings, offerSettings, timeToLiveSettings, upstreamSettings } from '#settings/function-settings.ts';
import { baseUrl, count, flag, seconds, words } from '#settings/kinds.ts';
import { buildMemory, megabytes } from '#settings/sizes.ts';
import { defaultWorkers, usableMemory } from './default-workers.ts';

/** What there is to know about a setting besides its schema. */
export interface SettingFacts {
  readonly description: string;
  /** SIGHUP puts a new value into force; all others need a restart. */
  readonly reloads?: true;
  /** What a configuration file may give besides a single value. */
  readonly takes?: 'list' | 'map';
  /** What the value counts: seconds, or bytes of megabytes. People read and write `10m` and `20480`. */
  readonly unit?: 'seconds' | 'megabytes';
}

/** A duration with a limit: longer ones would overflow timers or dates, and are mistakes. */
const atMost = (longest: string) => seconds.refine((value) => value <= (parseDuration(longest) ?? 0), `expected at most ${longest}`);

const durations = words.pipe(z.array(atMost('1d')).min(1, 'expected at least one duration'));

const timeToLive = (name: keyof typeof timeToLiveSettings) =>
  timeToLiveSettings[name].refine((value) => value <= 3_650 * 86_400, 'expected at most 3650d');

/** A path, in which `~/` stands for the home directory, as in a shell. */
const path = z
  .string()
  .min(1)
  .transform((text) => (text.startsWith('~/') ? join(homedir(), text.slice(2)) : text));

/** A URL that every client gets to read. `fetch` refuses a URL with a password anyway. */
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
 * Every setting of the standalone server, by the name of its environment variable; in a configuration file in lower
 * case. Names that the reference server has keep their meaning (docs/configuration.md); each may also be given with
 * `ASU_` before it.
 */
export const Settings = z.object({
  HOST: z
    .string()
    .min(1)
    .default('127.0.0.1')
    .meta(facts({ description: 'Address to listen on.' })),
  PORT: count(0, 65_535)
    .default(8000)
    .meta(facts({ description: 'Port to listen on; 0 takes any free port.' })),
  ASU_DATA_DIR: path
    .default('./data')
    .meta(facts({ description: 'The server keeps all its data in this directory: database, images, caches, signing key.' })),
  ASU_DATABASE_PATH: path.optional().meta(facts({ description: 'File of the database; default: `asu.db` in the data directory.' })),
  PUBLIC_PATH: path
    .optional()
    .meta(facts({ description: 'Directory for images, which are in `store/` below it; default: `public` in the data directory.' })),
  UPSTREAM_URL: publicUrl
    .default(upstreamSettings.UPSTREAM_URL.parse(undefined))
    .meta(facts({ description: 'Server that ImageBuilders, packages and their indexes come from.' })),
  HTTPS_PROXY: upstreamSettings.HTTPS_PROXY.meta(
    facts({
      description:
        'HTTP proxy for `https:` addresses of upstream, redirections and package repositories (`http://user:password@host:port`); also `https_proxy`.',
    }),
  ),
  HTTP_PROXY: upstreamSettings.HTTP_PROXY.meta(facts({ description: 'The same for `http:` addresses; also `http_proxy`.' })),
  NO_PROXY: upstreamSettings.NO_PROXY.meta(
    facts({
      description:
        'Hosts that are asked without a proxy: names with all names below them, addresses, networks (`10.0.0.0/8`), each also with a port, or `*`; also `no_proxy`.',
      takes: 'list',
    }),
  ),
  PREPARE_SERVICE_URL: baseUrl.optional().meta(
    facts({
      description:
        'Prepare service that answers `/api/v1/build/prepare`; without it, or when it does not answer, this server resolves packages itself.',
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
    .meta(facts({ description: 'Most builds that may wait; further ones are refused (429).', reloads: true })),
  MAX_PENDING_PER_CLIENT: count(0)
    .optional()
    .meta(
      facts({
        description:
          'Most builds that one client (an IPv4 address or IPv6 /64) may have waiting or running while builds of others wait, then 429; 0: any number. Behind a reverse proxy, all clients count as one until `TRUSTED_PROXIES` names the proxy.',
        reloads: true,
      }),
    ),
  RATE_LIMIT_BUILDS_PER_HOUR: count(0)
    .default(0)
    .meta(
      facts({
        description:
          'New builds that one client (an IPv4 address or IPv6 /64) may begin in an hour, then 429; 0: any number. Behind a reverse proxy, all clients count as one until `TRUSTED_PROXIES` names the proxy.',
        reloads: true,
      }),
    ),
  RATE_LIMIT_BUILDS_BURST: count(1)
    .default(20)
    .meta(
      facts({ description: 'New builds that one client may begin at once, before `RATE_LIMIT_BUILDS_PER_HOUR` counts.', reloads: true }),
    ),
  TRUSTED_PROXIES: addressRanges.meta(
    facts({
      description:
        'Addresses and ranges of reverse proxies whose `X-Forwarded-For` the server believes, such as `127.0.0.1` or `10.0.0.0/8`.',
      reloads: true,
      takes: 'list',
    }),
  ),
  JOB_TIMEOUT: atMost('1d')
    .default(600)
    .meta(facts({ description: 'Longest time one build may take.', unit: 'seconds' })),
  MAX_BUILD_DISK_MB: megabytes.default(DEFAULTS.maxDiskBytes).meta(
    facts({
      description: 'Disk space that the files of one build may take while it runs; a build that takes more is ended.',
      unit: 'megabytes',
    }),
  ),
  MAX_OUTPUT_MB: megabytes.default(OUTPUT_LIMITS.bytes).meta(
    facts({
      description:
        'Total size of the files that one build may produce, holes included; a build that produces more fails. Raise it together with `MAX_CUSTOM_ROOTFS_SIZE_MB`.',
      unit: 'megabytes',
    }),
  ),
  UPLOAD_TIMEOUT: atMost('1d')
    .default(UPLOAD_SECONDS)
    .meta(
      facts({ description: 'Longest time that storing the files of one build may take; after that it is built again.', unit: 'seconds' }),
    ),
  BUILD_TTL: timeToLive('BUILD_TTL').meta(facts({ description: 'How long a finished build is kept.', reloads: true, unit: 'seconds' })),
  BUILD_TTL_UNVERSIONED: timeToLive('BUILD_TTL_UNVERSIONED').meta(
    facts({ description: 'How long a finished build is kept whose request had no `packages_versions`.', reloads: true, unit: 'seconds' }),
  ),
  BUILD_DEFAULTS_TTL: timeToLive('BUILD_DEFAULTS_TTL').meta(
    facts({ description: 'How long a finished build is kept whose request had `defaults`.', reloads: true, unit: 'seconds' }),
  ),
  BUILD_FAILURE_TTL: timeToLive('BUILD_FAILURE_TTL').meta(
    facts({ description: 'How long a failure is remembered that the same request would meet again.', reloads: true, unit: 'seconds' }),
  ),
  WORKER_CONCURRENT: count(0, 64)
    .default(defaultWorkers(availableParallelism(), usableMemory()))
    .meta(facts({ description: 'Builds that run at the same time.' })),
  WORKER_POLL_SECONDS: z
    .string()
    .trim()
    .regex(/^\d+(\.\d+)?$/, 'expected a number of seconds')
    .transform(Number)
    .pipe(z.number().min(0.05).max(60))
    .default(0.25)
    .meta(
      facts({ description: 'How often the server looks for builds that another process queued, in seconds; it sees its own at once.' }),
    ),
  IMAGEBUILDER_CACHE_MB: megabytes.default(DEFAULTS.cacheBytes).meta(
    facts({
      description:
        'Disk space that unpacked ImageBuilders, trees for builds to come and downloaded packages may take together; what running builds use may exceed it.',
      unit: 'megabytes',
    }),
  ),
  BUILD_MEMORY_MB: buildMemory.meta(
    facts({
      description: 'Memory that all processes of one build may take together; a build that needs more fails.',
      unit: 'megabytes',
    }),
  ),
  VERIFY: z
    .enum(['require', 'known', 'checksum'])
    .default('known')
    .meta(
      facts({
        description:
          'When the signature of `sha256sums` is required: always, where its key is known, or never (`checksum`). Images are signed with the key of this server only where that signature is good.',
      }),
    ),
  TRUSTED_KEYS: trustedKeys
    .default([])
    .meta(facts({ description: 'usign public keys (base64) whose signatures count, besides those of OpenWrt.', takes: 'list' })),
  BUILD_KEY: path
    .refine((text) => /(^|\/)key-build$/.test(text), 'expected the path of a file named key-build')
    .optional()
    .meta(
      facts({
        description:
          'File `key-build` with the signing key, and its other files beside it; default: in the data directory, made on the first start.',
      }),
    ),
  SANDBOX: z
    .enum(['auto', 'bwrap', 'unshare', 'uid', 'plain'])
    .default('auto')
    .meta(
      facts({
        description:
          "How builds are isolated from the machine: `bwrap` and `unshare` without network, `uid` as another user, `plain` as the server's own, signed ImageBuilders only; `auto`: the strongest way that works here.",
      }),
    ),
  BRANCHES: offerSettings.BRANCHES.meta(
    facts({ description: 'Branches to offer, as JSON when given in a variable; replaces the built-in ones.', reloads: true, takes: 'map' }),
  ),
  DISTROS: distroSettings.DISTROS.meta(
    facts({
      description:
        'Other distributions to offer besides OpenWrt, as JSON when given in a variable: name → `upstream_url`, `branches`, `imagebuilder_prefix`, `trusted_keys`, `repository_hosts`.',
      takes: 'map',
    }),
  ),
  CATALOGUE_REFRESH: atMost('1d')
    .default(600)
    .meta(facts({ description: 'How old the information about a target may get before the server asks upstream again.', unit: 'seconds' })),
  SWEEP_EVERY: atMost('1d')
    .default(30)
    .meta(
      facts({
        description:
          'How often the server looks for lost messages, lost runners and expired builds. No effect on AWS, where a schedule does so every minute.',
        unit: 'seconds',
      }),
    ),
  LEASE: atMost('1d')
    .default(60)
    .meta(facts({ description: 'How long a runner may show no sign of life before another one takes its build.', unit: 'seconds' })),
  RETRY_DELAYS: durations
    .default(() => [...RETRY_DELAYS_SECONDS])
    .meta(
      facts({
        description: 'Pauses between the attempts at a build that failed because of a full disk, a broken download or the like.',
        takes: 'list',
        unit: 'seconds',
      }),
    ),
  REBUILD_PAUSE: atMost('1h')
    .default(REBUILD_PAUSE_SECONDS)
    .meta(
      facts({
        description:
          'How long requests get the failure as their answer after a build failed through no fault of its request; a later request starts the build again.',
        unit: 'seconds',
        reloads: true,
      }),
    ),
  REFUSE_IMPOSSIBLE: forecastSettings.REFUSE_IMPOSSIBLE.meta(
    facts({
      description:
        'What happens to a request whose packages cannot be installed, as the package indexes show: `refuse` answers 422, `warn` builds it all the same, with a warning.',
      reloads: true,
    }),
  ),
  SERVER_STATS: flag
    .default(true)
    .meta(facts({ description: 'Whether requests and builds are counted for `/stats`; failures always are.' })),
  CONTACT: offerSettings.CONTACT.meta(
    facts({ description: 'Whom clients may write to; shown on the pages and in `overview.json`.', reloads: true }),
  ),
  LOG_LEVEL: logSettings.LOG_LEVEL.meta(
    facts({ description: 'Lowest level that is logged: `debug`, `info`, `warn`, `error` or `silent`.', reloads: true }),
  ),
});

export type Settings = z.output<typeof Settings>;
export type SettingName = keyof typeof Settings.shape;

export const SETTING_NAMES = Object.keys(Settings.shape) as SettingName[];

export const settingFacts = (name: SettingName): SettingFacts => z.globalRegistry.get(Settings.shape[name]) as unknown as SettingFacts;
