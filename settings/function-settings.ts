import * as z from 'zod';
import { Branches, DEFAULT_BRANCHES } from '#core/catalogue/branches.ts';
import { DEFAULT_LIMITS } from '#core/request/build-request.ts';
import { LOG_LEVELS } from '#observe/log.ts';
import { baseUrl, count, flag, json, resource, seconds, words } from './kinds.ts';
import { proxySettings } from './proxy-settings.ts';

/**
 * Settings that several functions have, in groups from which a function's `config.ts` picks. The names are the
 * reference server's.
 */

/** Python's names of levels, which the reference server takes. */
const PYTHON_LEVELS: Readonly<Record<string, string>> = { warning: 'warn', critical: 'error', fatal: 'error' };

export const logSettings = {
  LOG_LEVEL: z
    .string()
    .transform((level) => PYTHON_LEVELS[level.toLowerCase()] ?? level.toLowerCase())
    .pipe(z.enum(LOG_LEVELS))
    .default('info'),
  /** The namespace in CloudWatch, for the metrics of processes that cannot be scraped (`emf-metrics.ts`). */
  METRICS_NAMESPACE: z
    .string()
    .regex(/^[\w.\-/#]{1,255}$/, 'expected letters, digits and . _ - / #')
    .default('asu'),
};

/** The address of upstream, and the proxies through which it is asked. */
export const upstreamSettings = { UPSTREAM_URL: baseUrl.default('https://downloads.openwrt.org'), ...proxySettings };

export const branchSettings = { BRANCHES: json.pipe(Branches).default(() => DEFAULT_BRANCHES) };

export const requestSettings = {
  ...branchSettings,
  ALLOW_DEFAULTS: flag.default(false),
  REPOSITORY_ALLOW_LIST: words.default([]),
  MAX_CUSTOM_ROOTFS_SIZE_MB: count(1).default(DEFAULT_LIMITS.maxCustomRootfsSizeMb),
  MAX_DEFAULTS_LENGTH: count(0).default(DEFAULT_LIMITS.maxDefaultsLength),
};

/** What the overview says about the server. */
export const offerSettings = { ...requestSettings, CONTACT: z.string().default('') };

export const bucketSettings = {
  ARTIFACT_BUCKET: resource,
  /** For stores other than AWS's that have buckets as paths only. */
  S3_FORCE_PATH_STYLE: flag.default(false),
};

export const tableSettings = { BUILD_TABLE: resource };

export const statisticsSettings = { STATISTICS_TABLE: resource };

/** Whether requests and builds are counted; failures always are. */
export const countingSettings = { SERVER_STATS: flag.default(true) };

export const queueSettings = { BUILD_QUEUE_URL: resource, DEAD_LETTER_QUEUE_URL: resource };

/** The number of builds that run at once when many wait. Estimates of waiting times are made with it. */
export const paceSettings = { MAX_RUNNERS: count(1).default(10) };

export const timeToLiveSettings = {
  BUILD_TTL: seconds.default(604_800),
  BUILD_TTL_UNVERSIONED: seconds.default(604_800),
  BUILD_DEFAULTS_TTL: seconds.default(1_800),
  BUILD_FAILURE_TTL: seconds.default(3_600),
};
