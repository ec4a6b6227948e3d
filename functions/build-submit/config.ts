import * as z from 'zod';
import { REBUILD_PAUSE_SECONDS } from '#core/build.ts';
import { readSettings } from '#core/read-settings.ts';
import { baseUrl, count, seconds } from '#core/setting-kinds.ts';
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
} from '#http/function-settings.ts';

const Config = z.object({
  ...logSettings,
  ...requestSettings,
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
