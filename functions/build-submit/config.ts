import * as z from 'zod';
import { MAX_DEFAULTS_LENGTH } from '#adapters/aws/builds/max-defaults-length.ts';
import { REBUILD_PAUSE_SECONDS } from '#core/build/build.ts';
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
import { baseUrl, count, seconds } from '#settings/kinds.ts';
import { readSettings } from '#settings/read-settings.ts';

/** What the deployment checks too, before it deploys anything. */
export const storedRequestSettings = {
  MAX_DEFAULTS_LENGTH: requestSettings.MAX_DEFAULTS_LENGTH.refine((length) => length <= MAX_DEFAULTS_LENGTH, {
    error: `expected at most ${MAX_DEFAULTS_LENGTH}: a request with longer defaults may not fit into an item of DynamoDB`,
  }),
};

const Config = z.object({
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
  MAX_PENDING_JOBS: count(0).default(1_000),
  REBUILD_PAUSE: seconds.default(REBUILD_PAUSE_SECONDS),
  /** Where a prepare service answers: asked for `/build/prepare`, and that alone. */
  PREPARE_SERVICE_URL: baseUrl.optional(),
});

export const loadConfig = (env: NodeJS.ProcessEnv = process.env) => readSettings(Config, env);
