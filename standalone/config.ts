import { dirname, join, resolve } from 'node:path';
import { SettingsError } from '#settings/read-settings.ts';
import { type ConfigFile, findConfigFile, readConfigFile, searchedFiles } from './config/config-file.ts';
import {
  CONFIG_VARIABLE,
  type CommandLine,
  type Environment,
  type Given,
  type GivenSettings,
  givenSettings,
} from './config/given-settings.ts';
import { FOREIGN_SETTINGS } from './config/other-servers.ts';
import { shownValue } from './config/setting-text.ts';
import { type SettingName, Settings } from './config/settings.ts';
import { strayBranchKeys } from './config/stray-branch-keys.ts';

export interface StandaloneConfig extends Settings {
  readonly dataDir: string;
  readonly databasePath: string;
  readonly artifactDir: string;
  readonly cacheDir: string;
  readonly workDir: string;
  readonly keyDir: string;
}

/** Settings, and what a person wants to know about them. */
export interface LoadedConfig {
  readonly config: StandaloneConfig;
  /** Where each setting was given. Settings that have their default are absent. */
  readonly origins: ReadonlyMap<SettingName, Given>;
  /** The file that was read. */
  readonly file: string | undefined;
  /** What was given without effect. */
  readonly warnings: readonly string[];
}

/**
 * The settings of this process: command line, environment, file, defaults. Throws a `SettingsError` that names every
 * bad one.
 */
export function readConfig(
  commandLine: CommandLine = {},
  env: Environment = process.env,
  paths = searchedFiles(env['HOME']),
): LoadedConfig {
  const named = commandLine.config ?? env[CONFIG_VARIABLE];
  return configFrom(commandLine, env, named ? readConfigFile(named) : findConfigFile(paths));
}

/** Settings from command line and environment alone, for tests and the demo: no file on the machine may change them. */
export const loadConfig = (commandLine: CommandLine, env: Environment): StandaloneConfig => configFrom(commandLine, env, undefined).config;

function configFrom(commandLine: CommandLine, env: Environment, file: ConfigFile | undefined): LoadedConfig {
  const given = givenSettings(commandLine, env, file);
  const parsed = Settings.safeParse(Object.fromEntries([...given.settings].map(([name, { text }]) => [name, text])));
  const foreign = judgeForeign(given);
  const refusals = [
    ...given.refusals,
    ...(parsed.error?.issues ?? []).map(({ path: [name, ...inner], message }) =>
      refusal(given.settings.get(name as SettingName), String(name), inner.map(String), message),
    ),
    ...foreign.refusals,
  ];
  if (refusals.length > 0 || parsed.data === undefined) throw new SettingsError([...new Set(refusals)].join('\n'));

  const settings = parsed.data;
  const dataDir = resolve(settings.ASU_DATA_DIR);
  return {
    config: {
      ...settings,
      dataDir,
      databasePath: settings.ASU_DATABASE_PATH === undefined ? join(dataDir, 'asu.db') : resolve(settings.ASU_DATABASE_PATH),
      artifactDir: settings.PUBLIC_PATH === undefined ? join(dataDir, 'public') : resolve(settings.PUBLIC_PATH),
      cacheDir: join(dataDir, 'cache'),
      workDir: join(dataDir, 'work'),
      keyDir: settings.BUILD_KEY === undefined ? join(dataDir, 'keys') : dirname(resolve(settings.BUILD_KEY)),
    },
    origins: given.settings,
    file: file?.path,
    warnings: [...given.warnings, ...foreign.warnings, ...strayBranchKeys(given.settings.get('BRANCHES'))],
  };
}

/**
 * `ASU_PORT=x (environment): expected a whole number`. A refusal of a table names the place inside it instead of the
 * value.
 */
function refusal(given: Given | undefined, name: string, inner: readonly string[], message: string): string {
  if (given === undefined) return `${name}: ${message}`;
  if ((name !== 'BRANCHES' && name !== 'DISTROS') || inner.length === 0)
    return `${given.as}=${shownValue(name, given.text)} (${given.where}): ${message}`;
  const isSplit = name === 'BRANCHES' && inner.length > 1 && /^\d+$/.test(inner[0] ?? '') && given.where.includes('.toml');
  return `${given.as} (${given.where}): ${inner.join('.')}: ${message}${isSplit ? '; TOML wants quotes: [branches."24.10"]' : ''}`;
}

function judgeForeign({ foreign, settings }: GivenSettings): { refusals: string[]; warnings: string[] } {
  const refusals: string[] = [];
  const warnings: string[] = [];
  for (const [name, { as, text, where }] of foreign) {
    const setting = FOREIGN_SETTINGS[name];
    if (setting === undefined) continue;
    if (setting.harmless?.(text, (other) => settings.get(other)?.text))
      warnings.push(`${as} (${where}): has no effect: ${setting.instead}`);
    else refusals.push(`${as}=${shownValue(name, text)} (${where}): cannot be honoured: ${setting.instead}`);
  }
  return { refusals, warnings };
}
