import * as z from 'zod';
import { loadConfig as loadBuildSettings } from '#functions/build-submit/config.ts';
import { loadConfig as loadCatalogueSettings } from '#functions/catalogue/config.ts';
import { loadConfig as loadMaintenanceSettings } from '#functions/maintenance/config.ts';
import { loadConfig as loadPrepareSettings } from '#functions/prepare/config.ts';
import { loadConfig as loadStatsSettings } from '#functions/stats/config.ts';
import { loadConfig as loadStatusSettings } from '#functions/status/config.ts';
import { loadConfig as loadStoreSettings } from '#functions/store/config.ts';
import { logSettings } from '#settings/function-settings.ts';
import { readSettings } from '#settings/read-settings.ts';
import { serverSettings } from './server-settings.ts';
import type { ServiceName } from './topology.ts';

/** The settings of each service: those of its function, and where it listens. */

type Env = Readonly<Record<string, string | undefined>>;

const server = (name: ServiceName, env: Env) => readSettings(z.object({ ...logSettings, ...serverSettings(name) }), env);

/** The prepare service reads the catalogue over HTTP. The documents call the address `UPSTREAM_URL`. */
export const prepareConfig = (env: Env = process.env) => ({
  ...server('prepare', env),
  ...loadPrepareSettings(withCatalogueUrl(env)),
});

export const buildConfig = (env: Env = process.env) => ({ ...server('build', env), ...loadBuildSettings(env), ...loadStoreSettings(env) });

export const statusConfig = (env: Env = process.env) => ({
  ...server('status', env),
  ...loadStatusSettings(env),
  ...loadStoreSettings(env),
});

export const catalogueConfig = (env: Env = process.env) => ({ ...server('catalogue', env), ...loadCatalogueSettings(env) });

export const statsConfig = (env: Env = process.env) => ({ ...server('stats', env), ...loadStatsSettings(env) });

export const maintenanceConfig = (env: Env = process.env) => ({ ...server('maintenance', env), ...loadMaintenanceSettings(env) });

/** The address at which the runner's service listens. The runner itself has other settings (`runner/config.ts`). */
export const runnerConfig = (env: Env = process.env) => server('runner', env);

/** Returns the environment that `npm run services` hands on to the services. */
export const ownEnvironment = (): Env => process.env;

const withCatalogueUrl = (env: Env): Env =>
  env['ASU_CATALOGUE_URL'] || env['CATALOGUE_URL'] ? env : { ...env, CATALOGUE_URL: env['ASU_UPSTREAM_URL'] || env['UPSTREAM_URL'] };
