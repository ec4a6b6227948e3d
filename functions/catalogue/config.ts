import * as z from 'zod';
import { bucketSettings, logSettings, offerSettings, upstreamSettings } from '#settings/function-settings.ts';
import { readSettings } from '#settings/read-settings.ts';

const Config = z.object({ ...logSettings, ...offerSettings, ...upstreamSettings, ...bucketSettings });

export const loadConfig = (env: NodeJS.ProcessEnv = process.env) => readSettings(Config, env);
