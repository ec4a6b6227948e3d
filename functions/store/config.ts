import * as z from 'zod';
import { readSettings } from '#core/read-settings.ts';
import { logSettings } from '#http/function-settings.ts';

const Config = z.object({
  ...logSettings,
  /** Text of the public key that images are signed with; lines may be separated by `\n` written out. */
  SIGNING_KEY: z
    .string()
    .transform((text) => text.replaceAll('\\n', '\n'))
    .optional(),
});

export const loadConfig = (env: NodeJS.ProcessEnv = process.env) => readSettings(Config, env);
