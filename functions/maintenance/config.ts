import * as z from 'zod';
import {
  bucketSettings,
  logSettings,
  offerSettings,
  queueSettings,
  statisticsSettings,
  tableSettings,
  timeToLiveSettings,
  upstreamSettings,
} from '#settings/function-settings.ts';
import { seconds } from '#settings/kinds.ts';
import { readSettings } from '#settings/read-settings.ts';
import { SWEEP_EVERY_MS } from './maintain.ts';

export const Config = z.object({
  ...logSettings,
  ...offerSettings,
  ...upstreamSettings,
  ...bucketSettings,
  ...tableSettings,
  ...queueSettings,
  ...statisticsSettings,
  ...timeToLiveSettings,
  /** The pause between two sweeps of a service. A deployment on AWS does not set it: a schedule begins each run there. */
  SWEEP_EVERY: seconds.default(SWEEP_EVERY_MS / 1000),
});

export const loadConfig = (env: NodeJS.ProcessEnv = process.env) => readSettings(Config, env);
