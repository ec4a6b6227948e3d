import { ownDirectory } from '#runner/files/own-directory.ts';
import { putFile } from '#runner/files/put-file.ts';
import { removeInside } from '#runner/files/remove-inside.ts';

/** Texts of secret keys by the name that `openBuildKey` knows them by. */
export type SecretKeys = Readonly<Partial<Record<'key-build' | 'local-private-key.pem', string | undefined>>>;

/**
 * Puts keys that come from elsewhere (a secret store) where `openBuildKey` looks for them, in place of any others: all runners
 * sign alike. What belonged to another key goes with it.
 */
export async function placeKeys(path: string, keys: SecretKeys): Promise<void> {
  const directory = await ownDirectory(path, 0o700);
  for (const [name, text] of Object.entries(keys)) {
    if (text === undefined) continue;
    await putFile(directory, name, text, { mode: 0o600 });
    if (name === 'key-build') for (const own of ['key-build.pub', 'key-build.ucert']) await removeInside(directory, own);
  }
}
