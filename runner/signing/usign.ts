import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto';

/** The DER headers that turn raw Ed25519 keys into a form that node:crypto reads. */
const SPKI = Buffer.from('302a300506032b6570032100', 'hex');
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

const ALGORITHM = 'Ed';
/** The key derivation function. This value means "no password" in key files of signify and usign. */
const KDF = 'BK';

export interface UsignPublicKey {
  /** The id of the key in sixteen hex digits. Signatures name their key by it, and it is the file name in `keys/`. */
  readonly id: string;
  readonly key: Uint8Array;
}

export interface UsignSignature {
  readonly id: string;
  readonly signature: Uint8Array;
}

/**
 * Reads a public key: the two-line file of usign and signify, or its second line alone. Returns `undefined` for any
 * other text.
 */
export function parseUsignPublicKey(text: string): UsignPublicKey | undefined {
  const body = payload(text, 42);
  return body && { id: body.subarray(2, 10).toString('hex'), key: body.subarray(10) };
}

/** Reads a detached signature. Returns `undefined` for any other text. */
export function parseUsignSignature(text: string): UsignSignature | undefined {
  const body = payload(text, 74);
  return body && { id: body.subarray(2, 10).toString('hex'), signature: body.subarray(10) };
}

/**
 * Returns whether `signature` was made by this key over exactly these bytes. The ids must match, as usign and signify
 * demand.
 */
export function verifyUsign(data: Uint8Array, signature: UsignSignature, key: UsignPublicKey): boolean {
  if (signature.id !== key.id) return false;
  const publicKey = createPublicKey({ key: Buffer.concat([SPKI, key.key]), format: 'der', type: 'spki' });
  return verify(null, data, publicKey, signature.signature);
}

/** Returns the texts of a new key pair, as `usign -G` writes them. */
export function generateUsignKey(comment: string): { secret: string; public: string } {
  const { privateKey } = generateKeyPairSync('ed25519');
  const seed = privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-32);
  const publicKey = createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-32);
  const id = randomBytes(8);
  const both = Buffer.concat([seed, publicKey]);
  const checksum = createHash('sha512').update(both).digest().subarray(0, 8);
  const secret = Buffer.concat([Buffer.from(ALGORITHM + KDF), Buffer.alloc(4), randomBytes(16), checksum, id, both]);
  return {
    secret: file(`${comment} secret key`, secret),
    public: file(`${comment} public key`, Buffer.concat([Buffer.from(ALGORITHM), id, publicKey])),
  };
}

/** Signs with a secret key file that has no password, and returns the text of the `.sig` file. */
export function signUsign(data: Uint8Array, secret: string): string {
  const body = payload(secret, 104);
  if (body === undefined || body.subarray(2, 4).toString('latin1') !== KDF || body.readUInt32BE(4) !== 0)
    throw new TypeError('not a usign secret key without password');
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8, body.subarray(40, 72)]), format: 'der', type: 'pkcs8' });
  const id = body.subarray(32, 40);
  return file(`signed by key ${id.toString('hex')}`, Buffer.concat([Buffer.from(ALGORITHM), id, sign(null, data, privateKey)]));
}

/** Returns the public half of a secret key file. It replaces the lost `.pub` of a `key-build`. */
export function publicOfUsignSecret(secret: string): string {
  const body = payload(secret, 104);
  if (body === undefined) throw new TypeError('not a usign secret key');
  const id = body.subarray(32, 40);
  return file(`public key ${id.toString('hex')}`, Buffer.concat([Buffer.from(ALGORITHM), id, body.subarray(72)]));
}

const file = (comment: string, body: Buffer): string => `untrusted comment: ${comment}\n${body.toString('base64')}\n`;

function payload(text: string, length: number): Buffer | undefined {
  const line = text.trim().split('\n').at(-1)?.trim() ?? '';
  const body = Buffer.from(line, 'base64');
  return body.length === length && body.toString('base64') === line && body.subarray(0, 2).toString('latin1') === ALGORITHM
    ? body
    : undefined;
}
