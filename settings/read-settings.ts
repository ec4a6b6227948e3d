import type * as z from 'zod';
import { variablesOf, withoutCredentials } from './proxy-settings.ts';

/** Settings that cannot be used. The message names each with its value and with what is allowed. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

/**
 * Reads the settings of a composition root by the names in its schema. Each may have `ASU_` before its name, which
 * wins, and the names of proxies may be in lower case. An empty value counts as not set. Throws a `SettingsError` that
 * names every bad setting.
 */
export function readSettings<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  env: Readonly<Record<string, string | undefined>>,
): z.output<z.ZodObject<Shape>> {
  const given = Object.fromEntries(
    Object.keys(schema.shape)
      .map((name) => [name, [`ASU_${name}`, ...variablesOf(name)].map((variable) => env[variable]).find(Boolean)] as const)
      .filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new SettingsError(
    parsed.error.issues
      .map(({ path: [first], message }) => `${String(first)}=${withoutCredentials(String(first), given[String(first)] ?? '')}: ${message}`)
      .join('\n'),
  );
}
