import * as z from 'zod';
import { loadConfig as loadBuildSettings } from '#functions/build-submit/config.ts';
import { loadConfig as loadCatalogueSettings } from '#functions/catalogue/config.ts';
import { loadConfig as loadMaintenanceSettings } from '#functions/maintenance/config.ts';
import { loadConfig as loadPrepareSettings } from '#functions/prepare/config.ts';
import { loadConfig as loadStatusSettings } from '#functions/status/config.ts';
import { loadConfig as loadStoreSettings } from '#functions/store/config.ts';
import { bucketSettings, logSettings, offerSettings, tableSettings, upstreamSettings } from '#settings/function-settings.ts';
import { baseUrl, resource } from '#settings/kinds.ts';
import { readSettings } from '#settings/read-settings.ts';
import { serverSettings } from './server-settings.ts';
import type { ServiceName } from './topology.ts';

/** The settings of each service: its function's own, and where it listens. */

type Env = Readonly<Record<string, string | undefined>>;

const server = (name: ServiceName, env: Env) => readSettings(z.object({ ...logSettings, ...serverSettings(name) }), env);

/** The prepare service reads the catalogue over HTTP; the documents call where from `UPSTREAM_URL`. */
export const prepareConfig = (env: Env = process.env) => ({
  ...server('prepare', env),
  ...loadPrepareSettings({ CATALOGUE_URL: env['ASU_UPSTREAM_URL'] || env['UPSTREAM_URL'], ...given(env) }),
});

const BuildService = z.object({
  /** Who resolves packages for `/api/v1/build/prepare`; without it, and when it is away, the build service does. */
  PREPARE_SERVICE_URL: baseUrl.optional(),
  STATISTICS_TABLE: resource,
});

export const buildConfig = (env: Env = process.env) => ({
  ...server('build', env),
  ...loadBuildSettings(env),
  ...loadStoreSettings(env),
  ...readSettings(BuildService, env),
});

export const statusConfig = (env: Env = process.env) => ({
  ...server('status', env),
  ...loadStatusSettings(env),
  ...loadStoreSettings(env),
});

export const catalogueConfig = (env: Env = process.env) => ({ ...server('catalogue', env), ...loadCatalogueSettings(env) });

const Statistics = { STATISTICS_TABLE: resource };

const StatsService = z.object({ ...offerSettings, ...upstreamSettings, ...bucketSettings, ...tableSettings, ...Statistics });

export const statsConfig = (env: Env = process.env) => ({ ...server('stats', env), ...readSettings(StatsService, env) });

export const maintenanceConfig = (env: Env = process.env) => ({
  ...server('maintenance', env),
  ...loadMaintenanceSettings(env),
  ...readSettings(z.object(Statistics), env),
});

/** Where it listens; the builder has settings of its own (`runner/config.ts`). */
export const runnerConfig = (env: Env = process.env) => server('runner', env);

const given = (env: Env) => Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
