import * as z from 'zod';
import { readSettings } from '#core/read-settings.ts';
import { baseUrl } from '#core/setting-kinds.ts';
import { logSettings, requestSettings } from '#http/function-settings.ts';

const Config = z.object({
  ...logSettings,
  ...requestSettings,
  /** Where the catalogue is read over HTTP: upstream, or whoever serves a copy of it. */
  CATALOGUE_URL: baseUrl.default('https://downloads.openwrt.org'),
});

export const loadConfig = (env: NodeJS.ProcessEnv = process.env) => readSettings(Config, env);
