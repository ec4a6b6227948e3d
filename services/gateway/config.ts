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
  /** The address of each service. Without one, the gateway answers 503 for the service. */
  PREPARE_SERVICE_URL: service,
  BUILD_SERVICE_URL: service,
  STATUS_SERVICE_URL: service,
  CATALOGUE_SERVICE_URL: service,
  STATS_SERVICE_URL: service,
  /** The reverse proxies whose `X-Forwarded-For` the gateway believes. */
  TRUSTED_PROXIES: addressRanges,
  /**
   * The number of builds of one client that may wait or run while builds of others wait. The default is a tenth of
   * `MAX_PENDING_JOBS`; 0 means any number.
   */
  MAX_PENDING_PER_CLIENT: count(0).optional(),
  /** The same setting as that of the build service. */
  MAX_PENDING_JOBS: count(0).default(1_000),
  /** The number of new builds that one client may begin in an hour; 0 means any number. */
  RATE_LIMIT_BUILDS_PER_HOUR: count(0).default(60),
  RATE_LIMIT_BUILDS_BURST: count(1).default(20),
  /** The number of all other requests of one client in an hour, including polls; 0 means any number. */
  RATE_LIMIT_REQUESTS_PER_HOUR: count(0).default(36_000),
  RATE_LIMIT_REQUESTS_BURST: count(1).default(600),
  /** The same setting as that of the build service. It determines the longest body. */
  MAX_DEFAULTS_LENGTH: count(0).default(DEFAULT_LIMITS.maxDefaultsLength),
});

export type GatewayConfig = z.output<typeof Config>;

export const loadConfig = (env: NodeJS.ProcessEnv = process.env): GatewayConfig => readSettings(Config, env);
