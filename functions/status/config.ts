import * as z from 'zod';
import { readSettings } from '#core/read-settings.ts';
import { bucketSettings, logSettings, paceSettings, tableSettings } from '#http/function-settings.ts';

const Config = z.object({ ...logSettings, ...bucketSettings, ...tableSettings, ...paceSettings });

export const loadConfig = (env: NodeJS.ProcessEnv = process.env) => readSettings(Config, env);
