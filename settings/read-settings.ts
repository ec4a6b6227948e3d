import type * as z from 'zod';

/** Settings that cannot be used. The message names each with its value and with what is allowed. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

/**
 * Reads the settings of a composition root by the names in its schema. Each may have `ASU_` before its name, which
 * wins. An empty value counts as not set. Throws a `SettingsError` that names every bad setting.
 */
export function readSettings<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  env: Readonly<Record<string, string | undefined>>,
): z.output<z.ZodObject<Shape>> {
  const given = Object.fromEntries(
    Object.keys(schema.shape)
      .map((name) => [name, env[`ASU_${name}`] || env[name]] as const)
      .filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new SettingsError(
    parsed.error.issues.map(({ path, message }) => `${String(path[0])}=${given[String(path[0])] ?? ''}: ${message}`).join('\n'),
  );
}
