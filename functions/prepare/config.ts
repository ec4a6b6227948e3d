import * as z from 'zod';
import { distroSettings } from '#settings/distro-settings.ts';
import { logSettings, requestSettings } from '#settings/function-settings.ts';
import { baseUrl } from '#settings/kinds.ts';
import { proxySettings } from '#settings/proxy-settings.ts';
import { readSettings } from '#settings/read-settings.ts';

export const Config = z.object({
  ...logSettings,
  ...requestSettings,
  ...proxySettings,
  ...distroSettings,
  /** Where the catalogue is read over HTTP: upstream or a copy of it. */
  CATALOGUE_URL: baseUrl.default('https://downloads.openwrt.org'),
});

export const loadConfig = (env: NodeJS.ProcessEnv = process.env) => readSettings(Config, env);
