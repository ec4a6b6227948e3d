import * as z from 'zod';
import { readSettings } from '#core/read-settings.ts';
import {
  bucketSettings,
  logSettings,
  offerSettings,
  statisticsSettings,
  tableSettings,
  upstreamSettings,
} from '#http/function-settings.ts';

const Config = z.object({
  ...logSettings,
  ...offerSettings,
  ...upstreamSettings,
  ...bucketSettings,
  ...tableSettings,
  ...statisticsSettings,
});

export const loadConfig = (env: NodeJS.ProcessEnv = process.env) => readSettings(Config, env);
