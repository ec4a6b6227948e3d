import { ownDirectory } from '#runner/files/own-directory.ts';
import { putFile } from '#runner/files/put-file.ts';
import { removeInside } from '#runner/files/remove-inside.ts';

/** The texts of secret keys, by their file names in the directory of `openBuildKey`. */
export type SecretKeys = Readonly<Partial<Record<'key-build' | 'local-private-key.pem', string | undefined>>>;

/**
 * Puts keys that come from elsewhere (a secret store) where `openBuildKey` looks for them, and replaces existing ones,
 * so that all runners sign with the same keys. It removes the files that belonged to the replaced key.
 */
export async function placeKeys(path: string, keys: SecretKeys): Promise<void> {
  const directory = await ownDirectory(path, 0o700);
  for (const [name, text] of Object.entries(keys)) {
    if (text === undefined) continue;
    await putFile(directory, name, text, { mode: 0o600 });
    if (name === 'key-build') for (const own of ['key-build.pub', 'key-build.ucert']) await removeInside(directory, own);
  }
}
