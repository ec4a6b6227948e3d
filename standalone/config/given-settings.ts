import { variablesOf } from '#settings/proxy-settings.ts';
import { closestName } from './closest-name.ts';
import type { ConfigFile } from './config-file.ts';
import { ALIASES, FOREIGN_SETTINGS, REFERENCE_SETTINGS } from './other-servers.ts';
import { SETTING_NAMES, type SettingName, settingFacts } from './settings.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** What the command line says. It wins over everything else. */
export interface CommandLine {
  readonly host?: string | undefined;
  readonly port?: string | undefined;
  /** The configuration file to read, instead of looking for one. */
  readonly config?: string | undefined;
}

/** A value that was given, and where. */
export interface Given {
  readonly text: string;
  /** The name as it was written: `--port`, `ASU_PORT`, `server_port`. */
  readonly as: string;
  /** `command line`, `environment`, or a file and its line. */
  readonly where: string;
}

export interface GivenSettings {
  readonly settings: ReadonlyMap<SettingName, Given>;
  /** Settings of other servers that have no meaning here, by name. */
  readonly foreign: ReadonlyMap<string, Given>;
  /** What has no effect, with what was probably meant. */
  readonly warnings: readonly string[];
  /** What cannot even be read as text: a list where one value belongs, a setting given twice. */
  readonly refusals: readonly string[];
}

/** The name without the prefix that every setting may have. */
const bare = (name: string) => name.toUpperCase().replace(/^ASU_/, '');
const BY_BARE_NAME = new Map(SETTING_NAMES.map((name) => [bare(name), name]));
const KNOWN_NAMES = [...BY_BARE_NAME.keys(), ...Object.keys(ALIASES), ...Object.keys(FOREIGN_SETTINGS)];
const SHAPES = { list: 'a list of single values', map: 'a table', single: 'a single value' } as const;
/** The variable that names the configuration file itself. */
export const CONFIG_VARIABLE = 'ASU_CONFIG';

/**
 * The settings given on the command line, in the environment and in a file, in this order: the first one wins. An empty
 * value counts as not set.
 */
export function givenSettings(commandLine: CommandLine, env: Environment, file: ConfigFile | undefined): GivenSettings {
  const settings = new Map<SettingName, Given>();
  const foreign = new Map<string, Given>();
  const warnings: string[] = [];
  const refusals: string[] = [];
  const give = (name: SettingName, given: Given) => {
    if (given.text !== '' && !settings.has(name)) settings.set(name, given);
  };

  if (commandLine.host !== undefined) give('HOST', { text: commandLine.host, as: '--host', where: 'command line' });
  if (commandLine.port !== undefined) give('PORT', { text: commandLine.port, as: '--port', where: 'command line' });

  const fromEnvironment = (variable: string, names: readonly SettingName[]) => {
    for (const name of names) give(name, { text: env[variable] ?? '', as: variable, where: 'environment' });
  };
  for (const name of SETTING_NAMES) fromEnvironment(`ASU_${bare(name)}`, [name]);
  for (const [alias, names] of Object.entries(ALIASES)) fromEnvironment(`ASU_${alias}`, names);
  for (const name of SETTING_NAMES) for (const variable of variablesOf(name)) fromEnvironment(variable, [name]);
  for (const variable of Object.keys(env)) {
    const isPrefixed = variable.startsWith('ASU_');
    const name = isPrefixed ? bare(variable) : variable;
    const text = env[variable] ?? '';
    if (text === '' || variable === CONFIG_VARIABLE) continue;
    if (Object.hasOwn(isPrefixed ? FOREIGN_SETTINGS : REFERENCE_SETTINGS, name))
      foreign.set(name, { text, as: variable, where: 'environment' });
    else if (isPrefixed && !KNOWN_NAMES.includes(name)) warnings.push(unknown(variable, name, 'environment', (known) => `ASU_${known}`));
  }

  if (file !== undefined) readFileInto(file, { settings, foreign, warnings, refusals, give });
  return { settings, foreign, warnings, refusals };
}

interface Readers {
  readonly settings: ReadonlyMap<SettingName, Given>;
  readonly foreign: Map<string, Given>;
  readonly warnings: string[];
  readonly refusals: string[];
  readonly give: (name: SettingName, given: Given) => void;
}

/** Reads the file. A setting under its own name wins over its name in the builder document. */
function readFileInto(file: ConfigFile, { settings, foreign, warnings, refusals, give }: Readers): void {
  const entries = Object.entries(file.values).map(([key, value]) => {
    const line = file.lineOf(key);
    return { key, value, name: bare(key), where: line === undefined ? file.path : `${file.path}:${line}` };
  });
  const seen = new Map<string, string>();
  for (const { key, name, where } of entries) {
    const before = seen.get(name);
    if (before !== undefined) refusals.push(`${key} (${where}): is the same setting as ${before}; take one of them out`);
    seen.set(name, key);
  }
  const giveAs = (setting: SettingName, { key, value, where }: (typeof entries)[number]) => {
    const text = textOf(value, setting);
    if (text === undefined) refusals.push(`${key} (${where}): expected ${SHAPES[settingFacts(setting).takes ?? 'single']}`);
    else give(setting, { text, as: key, where });
  };
  for (const entry of entries) {
    const setting = BY_BARE_NAME.get(entry.name);
    if (setting !== undefined) giveAs(setting, entry);
  }
  for (const entry of entries) {
    const names = ALIASES[entry.name] ?? [];
    const own = names[0] && settings.get(names[0]);
    if (own?.where.startsWith(file.path)) warnings.push(`${entry.key} (${entry.where}): has no effect, as ${own.as} is given too`);
    for (const aliased of names) giveAs(aliased, entry);
  }
  for (const { key, value, name, where } of entries) {
    if (Object.hasOwn(FOREIGN_SETTINGS, name)) {
      const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
      if (value !== null && text !== '' && !foreign.has(name)) foreign.set(name, { text, as: key, where });
    } else if (!KNOWN_NAMES.includes(name)) warnings.push(unknown(key, name, where, (known) => known.toLowerCase()));
  }
}

/**
 * A value of a file as the text that a variable would have, since settings are read from text. `undefined`: the setting
 * cannot have a value of this type.
 */
function textOf(value: unknown, name: SettingName): string | undefined {
  if (value === null || value === undefined) return '';
  if (typeof value !== 'object') return String(value);
  const { takes } = settingFacts(name);
  if (takes === 'list' && Array.isArray(value) && value.every((item) => typeof item !== 'object')) return JSON.stringify(value.map(String));
  if (takes === 'map' && !Array.isArray(value) && !(value instanceof Date)) return JSON.stringify(value);
  return undefined;
}

function unknown(as: string, name: string, where: string, spell: (known: string) => string): string {
  const meant = closestName(name, KNOWN_NAMES);
  return `${as} (${where}): is no setting${meant === undefined ? '' : `; is ${spell(meant)} meant?`}`;
}
