import { join, resolve } from 'node:path';
import * as z from 'zod';
import { UPLOAD_SECONDS } from '#core/build/upload-output.ts';
import { OUTPUT_LIMITS } from '#runner/imagebuilder/output/output-limits.ts';
import { distroSettings } from '#settings/distro-settings.ts';
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
import { buildMemory, megabytes } from '#settings/sizes.ts';
import { DEFAULTS } from './imagebuilder/maker-options.ts';
import { parseUsignPublicKey } from './signing/usign.ts';

/** The text of a file. Its lines may be separated by a written `\n`. A deployment without a key sets `none`. */
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
  ...distroSettings,
  ...timeToLiveSettings,
  /** The directory of caches, builds in progress and keys. It should survive restarts, but needs no backup. */
  DATA_DIR: z.string().min(1).default('./data/runner'),
  WORKER_CONCURRENT: count(1, 64).default(1),
  JOB_TIMEOUT: seconds.default(600),
  MAX_BUILD_DISK_MB: megabytes.default(DEFAULTS.maxDiskBytes),
  MAX_OUTPUT_MB: megabytes.default(OUTPUT_LIMITS.bytes),
  UPLOAD_TIMEOUT: seconds.default(UPLOAD_SECONDS),
  LEASE: seconds.default(60),
  IMAGEBUILDER_CACHE_MB: megabytes.default(DEFAULTS.cacheBytes),
  BUILD_MEMORY_MB: buildMemory,
  VERIFY: z.enum(['require', 'known', 'checksum']).default('known'),
  TRUSTED_KEYS: usignKeys,
  SANDBOX: z.enum(['auto', 'bwrap', 'unshare', 'uid', 'plain']).default('auto'),
  /**
   * The secret keys of usign and apk that sign images. Without them the runner generates its own on its first start.
   */
  SIGNING_SECRET: secretText,
  APK_SIGNING_SECRET: secretText,
  /** A file that the runner touches while it is alive, for health checks. */
  ALIVE_FILE: z.string().min(1).optional(),
  /** The address of the agent, which ECS sets in its tasks. There a task asks ECS not to end it while it builds. */
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
