import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Texts of secret keys by the name that `openBuildKey` knows them by. */
export type SecretKeys = Readonly<Partial<Record<'key-build' | 'local-private-key.pem', string | undefined>>>;

/**
 * Puts keys that come from elsewhere (a secret store) where `openBuildKey` looks for them, in place of any others: all runners
 * sign alike. What belonged to another key goes with it.
 */
export async function placeKeys(directory: string, keys: SecretKeys): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  for (const [name, text] of Object.entries(keys)) {
    if (text === undefined) continue;
    const temporary = join(directory, `.${name}.${process.pid}`);
    await writeFile(temporary, text, { mode: 0o600 });
    await rename(temporary, join(directory, name));
    if (name === 'key-build') for (const own of ['key-build.pub', 'key-build.ucert']) await rm(join(directory, own), { force: true });
  }
}
