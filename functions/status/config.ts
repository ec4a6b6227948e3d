import * as z from 'zod';
import { bucketSettings, logSettings, paceSettings, tableSettings } from '#settings/function-settings.ts';
import { readSettings } from '#settings/read-settings.ts';
import { rebuildSettings } from '#settings/rebuild-settings.ts';

const Config = z.object({ ...logSettings, ...bucketSettings, ...tableSettings, ...paceSettings, ...rebuildSettings });

export const loadConfig = (env: NodeJS.ProcessEnv = process.env) => readSettings(Config, env);
