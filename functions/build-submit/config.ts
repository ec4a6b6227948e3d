import * as z from 'zod';
import { readSettings } from '#core/read-settings.ts';
import { count } from '#core/setting-kinds.ts';
import {
  bucketSettings,
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
  ...paceSettings,
  MAX_PENDING_JOBS: count(0).default(1_000),
});

export const loadConfig = (env: NodeJS.ProcessEnv = process.env) => readSettings(Config, env);
