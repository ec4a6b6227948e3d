import * as z from 'zod';
import { MAX_DEFAULTS_LENGTH } from '#adapters/aws/builds/max-defaults-length.ts';
import { distroSettings } from '#settings/distro-settings.ts';
import { forecastSettings } from '#settings/forecast-settings.ts';
import {
  bucketSettings,
  countingSettings,
  logSettings,
  paceSettings,
  queueSettings,
  requestSettings,
  statisticsSettings,
  tableSettings,
  upstreamSettings,
} from '#settings/function-settings.ts';
import { baseUrl, count } from '#settings/kinds.ts';
import { readSettings } from '#settings/read-settings.ts';
import { rebuildSettings } from '#settings/rebuild-settings.ts';

/** Settings that a deployment checks before it deploys anything. */
export const storedRequestSettings = {
  MAX_DEFAULTS_LENGTH: requestSettings.MAX_DEFAULTS_LENGTH.refine((length) => length <= MAX_DEFAULTS_LENGTH, {
    error: `expected at most ${MAX_DEFAULTS_LENGTH}: a request with longer defaults may not fit into an item of DynamoDB`,
  }),
};

export const Config = z.object({
  ...logSettings,
  ...requestSettings,
  ...storedRequestSettings,
  ...upstreamSettings,
  ...bucketSettings,
  ...tableSettings,
  ...queueSettings,
  ...statisticsSettings,
  ...countingSettings,
  ...paceSettings,
  ...rebuildSettings,
  ...forecastSettings,
  ...distroSettings,
  MAX_PENDING_JOBS: count(0).default(1_000),
  /**
   * The prepare service that resolves packages for `/build/prepare`. Without it, and when it does not answer, this
   * function does.
   */
  PREPARE_SERVICE_URL: baseUrl.optional(),
});

export const loadConfig = (env: NodeJS.ProcessEnv = process.env) => readSettings(Config, env);
