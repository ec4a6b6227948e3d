import * as z from 'zod';
import { logSettings } from '#settings/function-settings.ts';
import { readSettings } from '#settings/read-settings.ts';

const Config = z.object({
  ...logSettings,
  /** The text of the public key for signatures of images, in which `\n` written out may separate the lines. */
  SIGNING_KEY: z
    .string()
    .transform((text) => text.replaceAll('\\n', '\n'))
    .optional(),
});

export const loadConfig = (env: NodeJS.ProcessEnv = process.env) => readSettings(Config, env);
