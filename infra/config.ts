import * as z from 'zod';
import { storedRequestSettings } from '#functions/build-submit/config.ts';
import { distroSettings } from '#settings/distro-settings.ts';
import { forecastSettings } from '#settings/forecast-settings.ts';
import {
  countingSettings,
  logSettings,
  offerSettings,
  paceSettings,
  timeToLiveSettings,
  upstreamSettings,
} from '#settings/function-settings.ts';
import { baseUrl, count, seconds } from '#settings/kinds.ts';
import { readSettings } from '#settings/read-settings.ts';
import { rebuildSettings } from '#settings/rebuild-settings.ts';

/** The settings of the service. The functions and the runner get them unchanged. */
const Service = z.object({
  ...logSettings,
  ...offerSettings,
  ...storedRequestSettings,
  // The proxy of the machine that deploys is none of AWS's, so a deployment takes no proxies.
  UPSTREAM_URL: upstreamSettings.UPSTREAM_URL,
  ...distroSettings,
  ...timeToLiveSettings,
  ...paceSettings,
  ...rebuildSettings,
  ...forecastSettings,
  ...countingSettings,
  /** The address of a prepare service that the operator runs. */
  PREPARE_SERVICE_URL: baseUrl.optional(),
  MAX_PENDING_JOBS: count(0).default(1_000),
  JOB_TIMEOUT: seconds.default(600),
  MAX_BUILD_DISK_MB: count(1).optional(),
  MAX_OUTPUT_MB: count(1).optional(),
  UPLOAD_TIMEOUT: seconds.optional(),
  VERIFY: z.enum(['require', 'known', 'checksum']).default('known'),
  TRUSTED_KEYS: z.string().default(''),
  IMAGEBUILDER_CACHE_MB: count(1).default(30_720),
  SANDBOX: z.enum(['auto', 'bwrap', 'unshare', 'uid', 'plain']).default('auto'),
});

/** The settings that only the deployment uses. */
const Deployment = z.object({
  /** The domain, such as `asu.example.org`, with its zone in Route 53. The default is CloudFront's own name. */
  DOMAIN: z.string().optional(),
  /** The recipient of alarms, who has to confirm the subscription once. */
  ALARM_EMAIL: z.email().optional(),
});

export type InfraConfig = z.output<typeof Service> & z.output<typeof Deployment> & { readonly service: Readonly<Record<string, string>> };

/**
 * Reads the settings from the environment of `sst deploy`, so that a bad value stops the deployment instead of the
 * service.
 */
export function loadConfig(env: NodeJS.ProcessEnv = process.env): InfraConfig {
  const given = (name: string) => env[`ASU_${name}`] || env[name];
  const names = Object.keys(Service.shape).filter((name) => given(name));
  const service = Object.fromEntries(names.map((name) => [name, given(name) ?? '']));
  const config = readSettings(Service, env);
  return {
    ...config,
    ...readSettings(Deployment, env),
    // The functions and the runner must use the same values, and the size of the runner's disk depends on one of them.
    service: { ...service, MAX_RUNNERS: String(config.MAX_RUNNERS), IMAGEBUILDER_CACHE_MB: String(config.IMAGEBUILDER_CACHE_MB) },
  };
}

export const config = loadConfig();
