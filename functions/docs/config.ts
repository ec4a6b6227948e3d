import * as z from 'zod';
import { readSettings } from '#core/read-settings.ts';
import { logSettings } from '#http/function-settings.ts';

const Config = z.object(logSettings);

export const loadConfig = (env: NodeJS.ProcessEnv = process.env) => readSettings(Config, env);
