import { BadRequestError } from '#core/errors.ts';

/** A `repository_keys` entry that is neither a usign nor a PEM public key. */
export class InvalidRepositoryKeyError extends BadRequestError {
  constructor(index: number) {
    super(`Invalid repository key: repository_keys[${index}] is neither a usign public key nor PEM text`);
  }
}

/** A file for the ImageBuilder's tree. */
export interface KeyFile {
  /** The path below the top of the tree. */
  readonly path: string;
  readonly content: string;
}

/**
 * Returns the files with which an ImageBuilder trusts a client's keys: PEM text (apk) as `keys/custom-<index>.pem`, a
 * usign public key (opkg) under its fingerprint, the only name by which usign finds it. Same as inject_files in
 * asu/build.py, except that bad text is an error with a name (`InvalidRepositoryKeyError`).
 */
export function repositoryKeyFiles(keys: readonly string[]): KeyFile[] {
  return keys.map((key, index) => {
    const text = key.trim();
    if (text.startsWith('-----BEGIN')) {
      if (!/^-----BEGIN [A-Z ]+-----\n[A-Za-z0-9+/=\s]+-----END [A-Z ]+-----$/.test(text.replaceAll('\r\n', '\n')))
        throw new InvalidRepositoryKeyError(index);
      return { path: `keys/custom-${index}.pem`, content: `${text}\n` };
    }
    const line = text.split(/\r?\n/).at(-1) ?? '';
    const fingerprint = usignFingerprint(line);
    if (fingerprint === undefined) throw new InvalidRepositoryKeyError(index);
    return { path: `keys/${fingerprint}`, content: `untrusted comment: ${fingerprint}\n${line}\n` };
  });
}

/**
 * Returns the fingerprint of a usign public key. The key is base64 of `Ed`, eight bytes that are the fingerprint, and
 * the 32 bytes of the key.
 */
export function usignFingerprint(line: string): string | undefined {
  if (!/^[A-Za-z0-9+/]+=*$/.test(line)) return undefined;
  const bytes = Buffer.from(line, 'base64');
  if (bytes.length !== 42 || bytes.toString('base64') !== line || bytes.toString('latin1', 0, 2) !== 'Ed') return undefined;
  return bytes.toString('hex', 2, 10);
}
