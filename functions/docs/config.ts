import * as z from 'zod';
import { logSettings } from '#settings/function-settings.ts';
import { readSettings } from '#settings/read-settings.ts';

const Config = z.object(logSettings);

export const loadConfig = (env: NodeJS.ProcessEnv = process.env) => readSettings(Config, env);
