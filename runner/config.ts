import { join, resolve } from 'node:path';
import * as z from 'zod';
import { UPLOAD_SECONDS } from '#core/build/upload-output.ts';
import { OUTPUT_LIMITS } from '#runner/imagebuilder/output/output-limits.ts';
import {
  branchSettings,
  bucketSettings,
  countingSettings,
  logSettings,
  queueSettings,
  statisticsSettings,
  tableSettings,
  timeToLiveSettings,
  upstreamSettings,
} from '#settings/function-settings.ts';
import { baseUrl, count, seconds, words } from '#settings/kinds.ts';
import { readSettings } from '#settings/read-settings.ts';
import { DEFAULTS } from './imagebuilder/maker-options.ts';
import { parseUsignPublicKey } from './signing/usign.ts';

const MEGABYTE = 1024 * 1024;

/** A file's text, in which lines may be separated by `\n` written out; `none` is what a deployment without a key has. */
const secretText = z
  .string()
  .transform((text) => (text === 'none' ? undefined : `${text.replaceAll('\\n', '\n').trim()}\n`))
  .optional();

const usignKeys = words.default([]).transform((texts, ctx) =>
  texts.flatMap((text) => {
    const key = parseUsignPublicKey(text);
    if (key === undefined) ctx.addIssue({ code: 'custom', message: 'expected usign public keys (base64, 56 characters)' });
    return key ?? [];
  }),
);

const Config = z.object({
  ...logSettings,
  ...upstreamSettings,
  ...bucketSettings,
  ...tableSettings,
  ...queueSettings,
  ...statisticsSettings,
  ...countingSettings,
  ...branchSettings,
  ...timeToLiveSettings,
  /** Caches, builds under way and keys; worth keeping, not worth backing up. */
  DATA_DIR: z.string().min(1).default('./data/runner'),
  WORKER_CONCURRENT: count(1, 64).default(1),
  JOB_TIMEOUT: seconds.default(600),
  MAX_BUILD_DISK_MB: count(1).default(DEFAULTS.maxDiskBytes / MEGABYTE),
  MAX_OUTPUT_MB: count(1).default(OUTPUT_LIMITS.bytes / MEGABYTE),
  UPLOAD_TIMEOUT: seconds.default(UPLOAD_SECONDS),
  LEASE: seconds.default(60),
  IMAGEBUILDER_CACHE_MB: count(1).default(20_480),
  /** Of all processes of a build together. */
  BUILD_MEMORY_MB: count(256).default(4096),
  VERIFY: z.enum(['require', 'known', 'checksum']).default('known'),
  TRUSTED_KEYS: usignKeys,
  SANDBOX: z.enum(['auto', 'bwrap', 'unshare', 'uid', 'plain']).default('auto'),
  /** Secret keys that images are signed with, usign's and apk's; without them the runner makes its own on first start. */
  SIGNING_SECRET: secretText,
  APK_SIGNING_SECRET: secretText,
  /** A file that is touched while the runner is alive, for health checks. */
  ALIVE_FILE: z.string().min(1).optional(),
  /** Set by ECS in its tasks: where a task asks not to be ended while it builds. */
  ECS_AGENT_URI: baseUrl.optional(),
});

export interface RunnerConfig extends z.output<typeof Config> {
  readonly cacheDir: string;
  readonly workDir: string;
  readonly keyDir: string;
}

export function loadConfig(env: NodeJS.ProcessEnv = process.env): RunnerConfig {
  const config = readSettings(Config, env);
  const at = (name: string) => join(resolve(config.DATA_DIR), name);
  return { ...config, cacheDir: at('cache'), workDir: at('work'), keyDir: at('keys') };
}
