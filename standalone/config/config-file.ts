import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { extname, join } from 'node:path';
import { parse, TomlError } from 'smol-toml';
import { LineCounter, parseDocument } from 'yaml';
import { SettingsError } from '#settings/read-settings.ts';

export interface ConfigFile {
  readonly path: string;
  /** The values as they are in the file: keys in the file's spelling, values of the format's own types. */
  readonly values: Readonly<Record<string, unknown>>;
  /** The line of a top-level key; `undefined` where it could not be found. */
  readonly lineOf: (key: string) => number | undefined;
}

const NAMES = ['asu.toml', 'config.yaml', 'config.yml'];

/** The places of a configuration file, nearest first. Only the first file that exists is read. */
export const searchedFiles = (home = homedir()): string[] =>
  ['.', join(home, '.asu'), '/etc/asu'].flatMap((directory) => NAMES.map((name) => join(directory, name)));

/**
 * Reads the first of `paths` that exists; `undefined` when none does. Throws a `SettingsError` when it cannot be
 * understood.
 */
export function findConfigFile(paths: readonly string[]): ConfigFile | undefined {
  for (const path of paths) {
    const text = readText(path);
    if (text !== undefined) return parseFile(path, text);
  }
  return undefined;
}

/** Reads the file that the operator named: `*.toml`, `*.yaml` or `*.yml`. `/dev/null` stands for no file. */
export function readConfigFile(path: string): ConfigFile | undefined {
  if (path === '/dev/null') return undefined;
  const text = readText(path);
  if (text === undefined) throw new SettingsError(`${path}: there is no such file`);
  return parseFile(path, text);
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new SettingsError(`${path}: cannot be read: ${message}`, { cause: error });
  }
}

function parseFile(path: string, text: string): ConfigFile {
  const extension = extname(path);
  const isToml = extension === '.toml';
  if (!isToml && extension !== '.yaml' && extension !== '.yml')
    throw new SettingsError(`${path}: expected a file named *.toml, *.yaml or *.yml`);
  const values = isToml ? parseToml(path, text) : parseYaml(path, text);
  const lines = text.split('\n');
  return {
    path,
    values,
    lineOf: (key) => {
      const name = key.replace(/[^A-Za-z0-9_-]/g, '\\$&');
      const pattern = isToml ? new RegExp(`^\\s*\\[{0,2}\\s*["']?${name}["']?\\s*[=.\\]]`) : new RegExp(`^["']?${name}["']?\\s*:`);
      const index = lines.findIndex((line) => pattern.test(line));
      return index === -1 ? undefined : index + 1;
    },
  };
}

function parseToml(path: string, text: string): Record<string, unknown> {
  try {
    return { ...parse(text) };
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    throw new SettingsError(`${path}:${error.line}: ${firstLine(error.message)}`, { cause: error });
  }
}

/** Reads YAML with keys as text, since the branch 24.10 would become the number 24.1. */
function parseYaml(path: string, text: string): Record<string, unknown> {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { stringKeys: true, lineCounter });
  const [error] = document.errors;
  if (error) throw new SettingsError(`${path}:${error.linePos?.[0].line ?? 1}: ${firstLine(error.message)}`, { cause: error });
  const values: unknown = document.toJS() ?? {};
  if (typeof values !== 'object' || values === null || Array.isArray(values))
    throw new SettingsError(`${path}:1: expected settings, one per line: name: value`);
  return { ...values };
}

/** The first line of a parser's message. The lines after it quote the file, which may hold secrets. */
const firstLine = (message: string): string => (message.split('\n', 1)[0] ?? '').replace(/ at line \d+, column \d+:?$/, '');
