import * as z from 'zod';
import { logSettings } from '#settings/function-settings.ts';
import { readSettings } from '#settings/read-settings.ts';

const Config = z.object({
  ...logSettings,
  /** Text of the public key that images are signed with; lines may be separated by `\n` written out. */
  SIGNING_KEY: z
    .string()
    .transform((text) => text.replaceAll('\\n', '\n'))
    .optional(),
});

export const loadConfig = (env: NodeJS.ProcessEnv = process.env) => readSettings(Config, env);
