import * as z from 'zod';
import { DEFAULT_LIMITS } from '#core/request/build-request.ts';
import { addressRanges } from '#http/rate-limit/address-ranges.ts';
import { logSettings } from '#settings/function-settings.ts';
import { baseUrl, count } from '#settings/kinds.ts';
import { readSettings } from '#settings/read-settings.ts';
import { serverSettings } from '../server-settings.ts';

const service = baseUrl.optional();

const Config = z.object({
  ...logSettings,
  ...serverSettings('gateway'),
  /** Where each service answers; what is not set is answered 503. */
  PREPARE_SERVICE_URL: service,
  BUILD_SERVICE_URL: service,
  STATUS_SERVICE_URL: service,
  CATALOGUE_SERVICE_URL: service,
  STATS_SERVICE_URL: service,
  /** Whose `X-Forwarded-For` is believed. */
  TRUSTED_PROXIES: addressRanges,
  /**
   * The number of builds that one client may have waiting or running while others wait; default: a tenth of
   * `MAX_PENDING_JOBS`; 0: any number.
   */
  MAX_PENDING_PER_CLIENT: count(0).optional(),
  /** As at the build service. */
  MAX_PENDING_JOBS: count(0).default(1_000),
  /** New builds that one client may ask for; 0: as many as they like. */
  RATE_LIMIT_BUILDS_PER_HOUR: count(0).default(60),
  RATE_LIMIT_BUILDS_BURST: count(1).default(20),
  /** All other requests of one client, polls among them. */
  RATE_LIMIT_REQUESTS_PER_HOUR: count(0).default(36_000),
  RATE_LIMIT_REQUESTS_BURST: count(1).default(600),
  /** As at the build service: bodies may be as long as it takes. */
  MAX_DEFAULTS_LENGTH: count(0).default(DEFAULT_LIMITS.maxDefaultsLength),
});

export type GatewayConfig = z.output<typeof Config>;

export const loadConfig = (env: NodeJS.ProcessEnv = process.env): GatewayConfig => readSettings(Config, env);
