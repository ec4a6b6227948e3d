import { writtenValue } from './config/setting-text.ts';
import { SETTING_NAMES, type SettingName, Settings, settingFacts } from './config/settings.ts';

/** The settings that README shows: those that most operators look at before they offer the server to others. */
export const MAIN_SETTINGS = [
  'HOST',
  'PORT',
  'ASU_DATA_DIR',
  'UPSTREAM_URL',
  'ALLOW_DEFAULTS',
  'REPOSITORY_ALLOW_LIST',
  'MAX_PENDING_JOBS',
  'TRUSTED_PROXIES',
  'BUILD_TTL',
  'WORKER_CONCURRENT',
] as const satisfies readonly SettingName[];

/** The table of settings in docs/configuration.md, or a part of it, made from the schema so that it cannot lie: name, default, meaning. */
export function settingsTable(names: readonly SettingName[] = SETTING_NAMES): string {
  const rows = names.map((name) => {
    const { description, reloads } = settingFacts(name);
    return `| \`${name}\`${reloads ? ' ↻' : ''} | ${shownDefault(name)} | ${description} |`;
  });
  return ['| variable | default | meaning |', '|---|---|---|', ...rows].join('\n');
}

/** Defaults that differ from machine to machine or are long, in words. */
const DESCRIBED: { readonly [Name in SettingName]?: string } = {
  MAX_PENDING_PER_CLIENT: 'a tenth of `MAX_PENDING_JOBS`',
  WORKER_CONCURRENT: 'one for each processor, and for each gigabyte of memory if that is less',
  BRANCHES: 'the releases since 21.02 and SNAPSHOT',
  DISTROS: 'none',
};

function shownDefault(name: SettingName): string {
  const described = DESCRIBED[name];
  if (described !== undefined) return described;
  const value = writtenValue(name, Settings.shape[name].parse(undefined));
  if (value === undefined || value === '' || (Array.isArray(value) && value.length === 0)) return '';
  return `\`${Array.isArray(value) ? value.join(' ') : String(value)}\``;
}

if (import.meta.main) process.stdout.write(`${settingsTable(process.argv[2] === '--main' ? MAIN_SETTINGS : SETTING_NAMES)}\n`);
