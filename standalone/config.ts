import { availableParallelism } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import * as z from 'zod';
import { Branches, DEFAULT_BRANCHES } from '#core/branches.ts';
import { DEFAULT_LIMITS } from '#core/build-request.ts';
import { parseDuration } from '#core/duration.ts';
import { RETRY_DELAYS_SECONDS } from '#core/run-build.ts';
import { LOG_LEVELS } from '#http/log.ts';

const flag = z.stringbool({ truthy: ['true', '1', 'yes', 'on'], falsy: ['false', '0', 'no', 'off', ''] });

const seconds = z.string().transform((text, ctx) => {
  const value = parseDuration(text);
  if (value !== undefined && value > 0) return value;
  ctx.addIssue({ code: 'custom', message: 'expected a duration such as 30s, 10m, 1h or 7d' });
  return z.NEVER;
});

const count = (min: number, max = Number.MAX_SAFE_INTEGER) =>
  z.string().trim().regex(/^\d+$/, 'expected a whole number').transform(Number).pipe(z.int().min(min).max(max));

const megabytes = count(1).transform((value) => value * 1024 * 1024);

const json = z.string().transform((text, ctx): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    ctx.addIssue({ code: 'custom', message: 'expected JSON' });
    return z.NEVER;
  }
});

/** A JSON list, or words separated by commas or white space. */
const words = z.string().transform((text, ctx): string[] => {
  if (!text.trim().startsWith('[')) return text.split(/[\s,]+/).filter((word) => word !== '');
  const list = z.array(z.string()).safeParse(safeJson(text));
  if (list.success) return list.data;
  ctx.addIssue({ code: 'custom', message: 'expected a list' });
  return z.NEVER;
});

const durations = words.pipe(z.array(seconds).min(1, 'expected at least one duration'));

const baseUrl = z.url({ protocol: /^https?$/, error: 'expected an http or https URL' }).transform((url) => url.replace(/\/+$/, ''));

/**
 * Every setting of the standalone server, by the name of its environment variable. Names that the reference server has keep
 * their meaning (CONTRACT.md §13); each may also be given with `ASU_` before it.
 */
export const Settings = z.object({
  HOST: z.string().min(1).default('127.0.0.1').meta({ description: 'Address to listen on.' }),
  PORT: count(0, 65_535).default(8000).meta({ description: 'Port to listen on; 0 takes any.' }),
  ASU_DATA_DIR: z
    .string()
    .min(1)
    .default('./data')
    .meta({ description: 'Where everything is kept: database, images, caches, signing key.' }),
  UPSTREAM_URL: baseUrl
    .default('https://downloads.openwrt.org')
    .meta({ description: 'Where ImageBuilders, packages and their indexes come from.' }),
  ALLOW_DEFAULTS: flag.default(false).meta({ description: 'Whether requests may carry a first-boot script (`defaults`).' }),
  REPOSITORY_ALLOW_LIST: words.default([]).meta({ description: 'URL prefixes that requests may name as package repositories.' }),
  MAX_CUSTOM_ROOTFS_SIZE_MB: count(1).default(DEFAULT_LIMITS.maxCustomRootfsSizeMb).meta({ description: 'Largest `rootfs_size_mb`.' }),
  MAX_DEFAULTS_LENGTH: count(0).default(DEFAULT_LIMITS.maxDefaultsLength).meta({ description: 'Longest `defaults`, in characters.' }),
  MAX_PENDING_JOBS: count(0).default(1_000).meta({ description: 'With more builds waiting than this, new ones are refused (429).' }),
  JOB_TIMEOUT: seconds.default(600).meta({ description: 'Longest time one build may take.' }),
  BUILD_TTL: seconds.default(604_800).meta({ description: 'How long a finished build is kept.' }),
  BUILD_TTL_UNVERSIONED: seconds.default(604_800).meta({ description: 'The same for requests without `packages_versions`.' }),
  BUILD_DEFAULTS_TTL: seconds.default(1_800).meta({ description: 'The same for requests with `defaults`.' }),
  BUILD_FAILURE_TTL: seconds.default(3_600).meta({ description: 'How long a failure that would repeat itself is remembered.' }),
  WORKER_CONCURRENT: count(0, 64)
    .default(Math.max(1, Math.floor(availableParallelism() / 2)))
    .meta({ description: 'Builds at once; default: half the processors.' }),
  IMAGEBUILDER_CACHE_MB: megabytes
    .default(20 * 1024 * 1024 * 1024)
    .meta({ description: 'Disk that unpacked ImageBuilders and packages may take.' }),
  VERIFY: z
    .enum(['require', 'known', 'checksum'])
    .default('known')
    .meta({ description: 'Signature of sha256sums: always required, required where the key is known, or never.' }),
  TRUSTED_KEYS: words.default([]).meta({ description: 'Further usign public keys (base64) whose signatures count.' }),
  BUILD_KEY: z
    .string()
    .regex(/(^|\/)key-build$/, 'expected the path of a file named key-build')
    .optional()
    .meta({ description: 'File `key-build` of the signing key, others beside it; default: made on first start in the data directory.' }),
  SANDBOX: z
    .enum(['auto', 'bwrap', 'unshare', 'uid', 'plain'])
    .default('auto')
    .meta({ description: 'How builds are kept from the machine; auto: the strongest that works here.' }),
  BRANCHES: json
    .pipe(Branches)
    .default(() => DEFAULT_BRANCHES)
    .meta({ description: 'Branches to offer, as JSON; replaces the built-in map.' }),
  CATALOGUE_REFRESH: seconds
    .default(600)
    .meta({ description: 'How old what is known of a target may get before upstream is asked again.' }),
  SWEEP_EVERY: seconds.default(30).meta({ description: 'How often lost messages, lost runners and expired builds are looked for.' }),
  LEASE: seconds
    .default(60)
    .meta({ description: 'How long a build waits for a runner that shows no sign of life before another takes it.' }),
  RETRY_DELAYS: durations
    .default(() => [...RETRY_DELAYS_SECONDS])
    .meta({ description: 'Pauses between the attempts at a build that met a full disk, a broken download or the like.' }),
  CONTACT: z.string().default('').meta({ description: 'Shown to clients as whom to write to.' }),
  LOG_LEVEL: z
    .string()
    .toLowerCase()
    .transform((level) => (level === 'warning' ? 'warn' : level))
    .pipe(z.enum(LOG_LEVELS))
    .default('info')
    .meta({ description: 'Least level that is logged.' }),
});

export type Settings = z.output<typeof Settings>;

/** Names that documents of the system use for the same settings. */
const ALIASES: Readonly<Record<string, string>> = {
  ASU_SERVER_PORT: 'PORT',
  ASU_WORKER_CONCURRENT: 'WORKER_CONCURRENT',
};

export interface StandaloneConfig extends Settings {
  readonly dataDir: string;
  readonly databasePath: string;
  readonly artifactDir: string;
  readonly cacheDir: string;
  readonly workDir: string;
  readonly keyDir: string;
}

/** A setting that cannot be taken; the message names it, its value and what is allowed. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** What the command line says; wins over the environment. */
export interface CommandLine {
  readonly host?: string | undefined;
  readonly port?: string | undefined;
}

/** Reads the settings from command line and environment. Throws `ConfigError` that names every bad one. */
export function loadConfig(
  { host, port }: CommandLine = {},
  env: Readonly<Record<string, string | undefined>> = process.env,
): StandaloneConfig {
  const given: Record<string, string> = {};
  for (const name of Object.keys(Settings.shape)) {
    const alias = Object.keys(ALIASES).find((other) => ALIASES[other] === name);
    const prefixed = name.startsWith('ASU_') ? name : `ASU_${name}`;
    const value = env[prefixed] ?? (alias && env[alias]) ?? env[name];
    if (value !== undefined && value !== '') given[name] = value;
  }
  if (host !== undefined) given['HOST'] = host;
  if (port !== undefined) given['PORT'] = port;
  const parsed = Settings.safeParse(given);
  if (!parsed.success)
    throw new ConfigError(
      parsed.error.issues.map(({ path, message }) => `${String(path[0])}=${given[String(path[0])] ?? ''}: ${message}`).join('\n'),
    );
  const dataDir = resolve(parsed.data.ASU_DATA_DIR);
  return {
    ...parsed.data,
    dataDir,
    databasePath: env['ASU_DATABASE_PATH'] ? resolve(env['ASU_DATABASE_PATH']) : join(dataDir, 'asu.db'),
    artifactDir: join(dataDir, 'public'),
    cacheDir: join(dataDir, 'cache'),
    workDir: join(dataDir, 'work'),
    keyDir: parsed.data.BUILD_KEY === undefined ? join(dataDir, 'keys') : dirname(resolve(parsed.data.BUILD_KEY)),
  };
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
