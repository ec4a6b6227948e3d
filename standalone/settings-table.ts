import { writtenValue } from './config/setting-text.ts';
import { SETTING_NAMES, type SettingName, Settings, settingFacts } from './config/settings.ts';

/** README's table of settings, made from the schema so that it cannot lie: name, default, meaning. */
export function settingsTable(): string {
  const rows = SETTING_NAMES.map((name) => {
    const { description, reloads } = settingFacts(name);
    return `| \`${name}\`${reloads ? ' ↻' : ''} | ${shownDefault(name)} | ${description} |`;
  });
  return ['| variable | default | meaning |', '|---|---|---|', ...rows].join('\n');
}

/** What differs from machine to machine, or is long. */
const DESCRIBED: { readonly [Name in SettingName]?: string } = {
  MAX_PENDING_PER_CLIENT: 'a tenth of `MAX_PENDING_JOBS`',
  WORKER_CONCURRENT: 'half the processors',
  BRANCHES: 'the releases since 21.02 and SNAPSHOT',
};

function shownDefault(name: SettingName): string {
  const described = DESCRIBED[name];
  if (described !== undefined) return described;
  const value = writtenValue(name, Settings.shape[name].parse(undefined));
  if (value === undefined || value === '' || (Array.isArray(value) && value.length === 0)) return '';
  return `\`${Array.isArray(value) ? value.join(' ') : String(value)}\``;
}

if (import.meta.main) process.stdout.write(`${settingsTable()}\n`);
