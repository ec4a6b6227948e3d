import type * as z from 'zod';
import { variablesOf, withoutCredentials } from './proxy-settings.ts';

/** Settings that cannot be used. The message names each with its value and with what is allowed. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

/**
 * Returns the texts that an environment has for the settings. Each name may have `ASU_` before it, which wins, and the
 * names of proxies may be in lower case. An empty value counts as not set.
 */
export const givenIn = (env: Readonly<Record<string, string | undefined>>, names: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    names.flatMap((name) => {
      const value = [`ASU_${name}`, ...variablesOf(name)].map((variable) => env[variable]).find(Boolean);
      return value === undefined ? [] : [[name, value]];
    }),
  );

/**
 * Reads the settings of a composition root by the names in its schema, as `givenIn` does. Throws a `SettingsError` that
 * names every bad setting.
 */
export function readSettings<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  env: Readonly<Record<string, string | undefined>>,
): z.output<z.ZodObject<Shape>> {
  const given = givenIn(env, Object.keys(schema.shape));
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new SettingsError(
    parsed.error.issues
      .map(({ path: [first], message }) => `${String(first)}=${withoutCredentials(String(first), given[String(first)] ?? '')}: ${message}`)
      .join('\n'),
  );
}
