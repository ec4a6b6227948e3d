import * as z from 'zod';
import { Settings } from './config.ts';

/** README's table of settings, made from the schema so that it cannot lie: name, default, meaning. */
export function settingsTable(): string {
  const rows = Object.entries(Settings.shape).map(([name, schema]) => {
    const { description = '' } = z.globalRegistry.get(schema) ?? {};
    return `| \`${name}\` | ${shown(name, schema)} | ${description} |`;
  });
  return ['| variable | default | meaning |', '|---|---|---|', ...rows].join('\n');
}

/** Defaults in the words in which they are set; seconds and bytes would not be. */
const SPELLED: Readonly<Record<string, string>> = {
  JOB_TIMEOUT: '`10m`',
  BUILD_TTL: '`7d`',
  BUILD_TTL_UNVERSIONED: '`7d`',
  BUILD_DEFAULTS_TTL: '`30m`',
  BUILD_FAILURE_TTL: '`1h`',
  CATALOGUE_REFRESH: '`10m`',
  SWEEP_EVERY: '`30s`',
  LEASE: '`60s`',
  RETRY_DELAYS: '`5s 30s`',
  IMAGEBUILDER_CACHE_MB: '`20480`',
  WORKER_CONCURRENT: 'half the processors',
  BRANCHES: 'the releases since 21.02 and SNAPSHOT',
};

function shown(name: string, schema: z.ZodType): string {
  const spelled = SPELLED[name];
  if (spelled !== undefined) return spelled;
  const value = schema.safeParse(undefined).data;
  if (value === undefined || value === '' || (Array.isArray(value) && value.length === 0)) return '';
  return `\`${String(value)}\``;
}

if (import.meta.main) process.stdout.write(`${settingsTable()}\n`);
