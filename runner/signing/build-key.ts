import { createPublicKey, generateKeyPairSync, randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '#runner/imagebuilder/has-code.ts';
import { putFile } from '#runner/imagebuilder/put-file.ts';
import { readInside } from '#runner/imagebuilder/read-output.ts';
import { generateUsignKey, parseUsignPublicKey, publicOfUsignSecret } from './usign.ts';

/** The server's persistent signing keys, one per package manager's format, kept in a directory of their own. */
export interface BuildKey {
  /** usign public key as text: what `/signing-key.pub` serves. */
  readonly publicKey: string;
  /**
   * Puts the keys where ImageBuilder looks for them, so that it makes none of its own. Only for builds whose packages all
   * come from the known feeds: package scripts of the build can read them.
   */
  install(tree: string, packageManager: 'opkg' | 'apk', uid: number | undefined): Promise<void>;
  /** Keeps the certificate that ImageBuilder's ucert made for the key, so that later images carry the same one. */
  keepCertificate(tree: string): Promise<void>;
}

const USIGN = 'key-build';
const CERTIFICATE = 'key-build.ucert';
const APK_SECRET = 'local-private-key.pem';
const APK_PUBLIC = 'local-public-key.pem';

/**
 * Opens the keys in `directory`, generating what is missing. Safe for several processes at once: the first to finish
 * wins. Secrets have mode 0600.
 */
export async function openBuildKey(directory: string): Promise<BuildKey> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const path = (name: string) => join(directory, name);

  const secret = await readOrCreate(path(USIGN), 0o600, () => generateUsignKey('ASU build key').secret);
  const publicKey = await readOrCreate(path(`${USIGN}.pub`), 0o644, () => publicOfUsignSecret(secret));
  const apkSecret = await readOrCreate(path(APK_SECRET), 0o600, () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    return privateKey.export({ format: 'pem', type: 'sec1' }).toString();
  });
  const apkPublic = createPublicKey(apkSecret).export({ format: 'pem', type: 'spki' }).toString();

  return {
    publicKey,
    install: async (tree, packageManager, uid) => {
      if (packageManager === 'apk') {
        await putFile(join(tree, 'keys', APK_SECRET), apkSecret, uid, 0o600);
        await putFile(join(tree, 'keys', APK_PUBLIC), apkPublic, uid);
        return;
      }
      await putFile(join(tree, USIGN), secret, uid, 0o600);
      await putFile(join(tree, `${USIGN}.pub`), publicKey, uid);
      // ImageBuilder trusts the key that it makes; its own package index is signed with it.
      const id = parseUsignPublicKey(publicKey)?.id;
      if (id !== undefined) await putFile(join(tree, 'keys', id), publicKey, uid);
      const certificate = (await isFresh(path(CERTIFICATE))) ? await readFile(path(CERTIFICATE)).catch(() => undefined) : undefined;
      if (certificate !== undefined) await putFile(join(tree, CERTIFICATE), certificate, uid);
    },
    keepCertificate: async (tree) => {
      const made = await readInside(tree, CERTIFICATE);
      if (made === undefined) return;
      const temporary = path(`.${CERTIFICATE}.${randomUUID()}`);
      try {
        await writeFile(temporary, made);
        if (await isFresh(path(CERTIFICATE))) return;
        await rename(temporary, path(CERTIFICATE));
      } finally {
        await rm(temporary, { force: true });
      }
    },
  };
}

/** OpenWrt's ucert issues for a year; images are flashed long after they were made. */
const CERTIFICATE_MAX_AGE_MS = 180 * 86_400_000;

const isFresh = (path: string): Promise<boolean> =>
  stat(path).then(
    ({ mtimeMs }) => Date.now() - mtimeMs < CERTIFICATE_MAX_AGE_MS,
    () => false,
  );

/** The content of a file, or what `create` makes, written whole and only if nobody was first. */
async function readOrCreate(path: string, mode: number, create: () => string): Promise<string> {
  const existing = await readFile(path, 'utf8').catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  });
  if (existing !== undefined) return existing;
  const temporary = `${path}.${randomUUID()}`;
  await writeFile(temporary, create(), { mode, flush: true });
  try {
    await link(temporary, path);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  } finally {
    await rm(temporary, { force: true });
  }
  return readFile(path, 'utf8');
}
