import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { SettingsError } from '#settings/read-settings.ts';
import { isSecret, shownValue, writtenValue } from './config/setting-text.ts';
import { SETTING_NAMES, type SettingName } from './config/settings.ts';
import { type LoadedConfig, readConfig } from './config.ts';

const USAGE = `Usage: npm run config [-- --json] [-- --host ADDRESS] [-- --port N] [-- --config FILE]

Prints the settings that \`npm start\` with the same options would use, and where each comes from. Exit code 2: it would not start.
`;

interface EffectiveSetting {
  readonly name: SettingName;
  /** The value as a configuration file would have it; absent when it was not given and has no default. */
  readonly value?: unknown;
  /** `default`, `environment ASU_PORT`, `/etc/asu/asu.toml:3 port`, `command line --port`. */
  readonly source: string;
}

function effectiveSettings({ config, origins }: LoadedConfig): EffectiveSetting[] {
  const paths: { readonly [Name in SettingName]?: string } = {
    ASU_DATA_DIR: config.dataDir,
    ASU_DATABASE_PATH: config.databasePath,
    PUBLIC_PATH: config.artifactDir,
    BUILD_KEY: join(config.keyDir, 'key-build'),
  };
  return SETTING_NAMES.map((name) => {
    const origin = origins.get(name);
    const value = withoutSecrets(name, paths[name] ?? writtenValue(name, config[name]));
    return { name, ...(value !== undefined && { value }), source: origin === undefined ? 'default' : `${origin.where} ${origin.as}` };
  });
}

/** The value with each text in it as messages show it. */
function withoutSecrets(name: string, value: unknown): unknown {
  if (value === undefined) return undefined;
  if (isSecret(name)) return '(hidden)';
  return JSON.parse(JSON.stringify(value), (_, inner: unknown) => (typeof inner === 'string' ? shownValue(name, inner) : inner));
}

function table(settings: readonly EffectiveSetting[]): string {
  const texts = settings.map(({ name, value, source }) => [name, textOf(value), source] as const);
  const width = (column: 0 | 1, most: number) => Math.min(most, Math.max(...texts.map((row) => row[column].length)));
  const [names, values] = [width(0, 40), width(1, 60)];
  return texts.map(([name, value, source]) => `${name.padEnd(names)}  ${value.padEnd(values)}  ${source}\n`).join('');
}

function textOf(value: unknown): string {
  if (value === undefined || value === '') return '-';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function main(): void {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean' },
      host: { type: 'string' },
      port: { type: 'string' },
      config: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return void process.stdout.write(USAGE);
  const loaded = readConfig(values);
  const settings = effectiveSettings(loaded);
  for (const warning of loaded.warnings) process.stderr.write(`Warning: ${warning}\n`);
  if (values.json) {
    const byName = Object.fromEntries(settings.map(({ name, ...rest }) => [name, rest]));
    process.stdout.write(`${JSON.stringify({ file: loaded.file ?? null, settings: byName, warnings: loaded.warnings }, undefined, 2)}\n`);
  } else process.stdout.write(`Configuration file: ${loaded.file ?? 'none'}\n\n${table(settings)}`);
}

try {
  main();
} catch (error) {
  if (!(error instanceof SettingsError)) throw error;
  process.stderr.write(`These settings cannot be used:\n${error.message}\n`);
  process.exitCode = 2;
}
