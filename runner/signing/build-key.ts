import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { latestPlausible } from '#core/clock-skew.ts';
import { factsInside } from '#runner/files/facts.ts';
import { ownDirectory, readOwnFile } from '#runner/files/own-directory.ts';
import { readInside } from '#runner/files/plain-file.ts';
import { putFile, putNewFile } from '#runner/files/put-file.ts';
import { generateUsignKey, parseUsignPublicKey, publicOfUsignSecret } from './usign.ts';

/** The server's persistent signing keys, one for each package manager's format, in a directory of their own. */
export interface BuildKey {
  /** The usign public key as text, which `/signing-key.pub` serves. */
  readonly publicKey: string;
  /**
   * Puts the keys where ImageBuilder looks for them, so that it does not generate its own. Everything that runs in the
   * build can read them: call this only when a known key signed the ImageBuilder and all packages come from its own
   * feeds.
   */
  install(tree: string, packageManager: 'opkg' | 'apk', uid: number | undefined): Promise<void>;
  /**
   * Returns whether ImageBuilder's ucert must still make a certificate for the key. All later images carry that
   * certificate.
   */
  lacksCertificate(): Promise<boolean>;
  /** Saves the certificate from the tree. Call it before anything but ImageBuilder's own programs has run there. */
  keepCertificate(tree: string): Promise<void>;
}

const USIGN = 'key-build';
const CERTIFICATE = 'key-build.ucert';
const APK_SECRET = 'local-private-key.pem';
const APK_PUBLIC = 'local-public-key.pem';

/**
 * Opens the keys in `directory` and generates the missing ones. Several processes may do this at once: the first to
 * finish wins. Secrets have mode 0600.
 */
export async function openBuildKey(path: string): Promise<BuildKey> {
  const directory = await ownDirectory(path, 0o700);

  const secret = await readOrCreate(directory, USIGN, 0o600, () => generateUsignKey('ASU build key').secret);
  const publicKey = await readOrCreate(directory, `${USIGN}.pub`, 0o644, () => publicOfUsignSecret(secret));
  const apkSecret = await readOrCreate(directory, APK_SECRET, 0o600, () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    return privateKey.export({ format: 'pem', type: 'sec1' }).toString();
  });
  const apkPublic = createPublicKey(apkSecret).export({ format: 'pem', type: 'spki' }).toString();

  const isFresh = async (): Promise<boolean> => {
    const made = (await factsInside(directory, CERTIFICATE))?.mtimeMs;
    // A certificate with a future time was issued before the clock was set back, and is not valid yet.
    return made !== undefined && Date.now() - made < CERTIFICATE_MAX_AGE_MS && made <= latestPlausible(new Date()).getTime();
  };

  return {
    publicKey,
    install: async (tree, packageManager, uid) => {
      if (packageManager === 'apk') {
        await putFile(tree, `keys/${APK_SECRET}`, apkSecret, { uid, mode: 0o600 });
        await putFile(tree, `keys/${APK_PUBLIC}`, apkPublic, { uid });
        return;
      }
      await putFile(tree, USIGN, secret, { uid, mode: 0o600 });
      await putFile(tree, `${USIGN}.pub`, publicKey, { uid });
      // ImageBuilder trusts the key that it generates, and signs its own package index with it.
      const id = parseUsignPublicKey(publicKey)?.id;
      if (id !== undefined) await putFile(tree, `keys/${id}`, publicKey, { uid });
      const certificate = (await isFresh()) ? await readInside(directory, CERTIFICATE, MAX_CERTIFICATE) : undefined;
      if (certificate !== undefined) await putFile(tree, CERTIFICATE, certificate, { uid });
    },
    lacksCertificate: async () => !(await isFresh()),
    keepCertificate: async (tree) => {
      const made = await readInside(tree, CERTIFICATE, MAX_CERTIFICATE);
      if (made !== undefined && !(await isFresh())) await putFile(directory, CERTIFICATE, made);
    },
  };
}

/** The limit on a certificate's size. Real certificates have a few hundred bytes. */
const MAX_CERTIFICATE = 64 * 1024;

/**
 * The age at which a certificate is replaced. OpenWrt's ucert issues them for a year, and images are flashed long after
 * they were made.
 */
const CERTIFICATE_MAX_AGE_MS = 180 * 86_400_000;

/**
 * Returns the content of a file. Writes the result of `create` first if there is no file; of several processes that do
 * so, the first one wins.
 */
async function readOrCreate(directory: string, name: string, mode: number, create: () => string): Promise<string> {
  const path = join(directory, name);
  const existing = await readOwnFile(path);
  if (existing !== undefined) return existing;
  await putNewFile(directory, name, create(), mode);
  return (await readOwnFile(path)) ?? readOrCreate(directory, name, mode, create);
}
