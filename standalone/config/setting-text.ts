import { writtenDistros } from '#settings/distro-settings.ts';
import { withoutCredentials } from '#settings/proxy-settings.ts';
import type { SettingName, Settings } from './settings.ts';
import { settingFacts } from './settings.ts';

const SECRET = /SECRET|TOKEN|PASSWORD|ACCESS_KEY/i;

/** Whether a value must not be shown, by the setting's name. */
export const isSecret = (name: string): boolean => SECRET.test(name);

const MAX_SHOWN = 200;

/**
 * A value for logs, messages and terminals, without secrets and without passwords in URLs. `BUILD_KEY` is a path, but
 * an operator may have put the key itself there.
 */
export function shownValue(name: string, value: string): string {
  if (isSecret(name) || (/BUILD_KEY$/i.test(name) && !/key-build$/.test(value))) return '(hidden)';
  const text = withoutCredentials(name, value).replace(/\s+/g, ' ');
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}

const UNITS = [
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
] as const;

const durationText = (seconds: number): string => {
  const [unit, size] = UNITS.find(([, length]) => seconds % length === 0) ?? (['s', 1] as const);
  return `${seconds / size}${unit}`;
};

/** A value as a configuration file would have it; `undefined` when the setting has none. */
export function writtenValue<Name extends SettingName>(name: Name, value: Settings[Name] | undefined): unknown {
  if (value === undefined) return undefined;
  const { unit, takes } = settingFacts(name);
  if (unit === 'seconds') return Array.isArray(value) ? value.map(Number).map(durationText) : durationText(Number(value));
  if (unit === 'megabytes') return Number(value) / 1024 / 1024;
  if (name === 'DISTROS') return writtenDistros(value as Settings['DISTROS']);
  if (takes === 'map') return Object.fromEntries((value as Settings['BRANCHES']).map(({ name: branch, ...rest }) => [branch, rest]));
  return value;
}
