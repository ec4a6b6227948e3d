import * as z from 'zod';
import { distroSettings } from '#settings/distro-settings.ts';
import { bucketSettings, logSettings, offerSettings, upstreamSettings } from '#settings/function-settings.ts';
import { readSettings } from '#settings/read-settings.ts';

const Config = z.object({ ...logSettings, ...offerSettings, ...upstreamSettings, ...bucketSettings, ...distroSettings });

export const loadConfig = (env: NodeJS.ProcessEnv = process.env) => readSettings(Config, env);
