import { ALIASES, BUILDER_SETTINGS, type ForeignSetting, REFERENCE_SETTINGS } from './config/other-servers.ts';

/**
 * The table in docs/configuration.md of settings that other servers have, and that this one does not have or calls by
 * another name.
 */
export function otherServersTable(): string {
  const rows = [
    ...Object.entries(REFERENCE_SETTINGS).map(([name, setting]) => row(name, 'reference server', setting.instead, setting)),
    ...Object.entries(ALIASES).map(([name, names]) =>
      row(name, 'builder', `the same as ${names.map((other) => `\`${other}\``).join(' and ')}`),
    ),
    ...Object.entries(BUILDER_SETTINGS).map(([name, setting]) => row(name, 'builder', setting.instead, setting)),
  ];
  return ['| setting | of | here | a value that matters |', '|---|---|---|---|', ...rows].join('\n');
}

function row(name: string, origin: string, text: string, setting?: ForeignSetting): string {
  const isIgnored = setting?.harmless?.('something of the operator’s own', () => undefined);
  const outcome = setting === undefined ? 'taken' : isIgnored ? 'warned of' : 'stops the start';
  return `| \`${name.toLowerCase()}\` | ${origin} | ${text} | ${outcome} |`;
}

if (import.meta.main) process.stdout.write(`${otherServersTable()}\n`);
