import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';

/** A usign key pair of the demo. Its secret half is public, so its signatures prove nothing outside the demo. */
export interface DemoKey {
  /** The key's eight-byte id as lower-case hex, which is also its file name in ImageBuilder's keys/. */
  id: string;
  /** The two lines of a usign public key file. */
  publicKey: string;
  /** The second line of `publicKey`, which is the form that `TRUSTED_KEYS` takes. */
  base64: string;
  privateKey: KeyObject;
}

/** The DER bytes in front of the 32 bytes of an Ed25519 private key. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

function demoKey(id: string, comment: string): DemoKey {
  const seed = createHash('sha256').update(`a worthless demo key: ${id}`).digest();
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' });
  const publicBytes = createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-32);
  const line = Buffer.concat([Buffer.from('Ed'), Buffer.from(id, 'hex'), publicBytes]).toString('base64');
  return { id, publicKey: `untrusted comment: ${comment} ${id}\n${line}\n`, base64: line, privateKey };
}

/** The key that signs `sha256sums` and the package indexes of the demo upstream. */
export const demoUpstreamKey = demoKey('64656d6f6b657931', 'DEMO ONLY, public secret: demo upstream');

/** The key that signs the custom feed below `/custom/`. */
export const demoCustomFeedKey = demoKey('64656d6f6b657932', 'DEMO ONLY, public secret: demo custom feed');

/** The key that signs everything of the demo's other distribution. */
export const demoOtherKey = demoKey('64656d6f6b657933', 'DEMO ONLY, public secret: demo other distribution');

/** An EC public key in the form of apk's keys/. The demo's apk checks no signatures, and no secret half was kept. */
export const demoUpstreamPem = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqREH7B6cgl2xG5QB2eNphldulPLC
2OOZgAS8t3BM2e2io9z3lAFBsORheRmk/OmNI/btHrgklJ2U3CFC/s91ig==
-----END PUBLIC KEY-----
`;

/** The EC public key of the custom feed for apk. */
export const demoCustomFeedPem = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEWrturFXZ099rlFnAe8Xe013uNUz4
UxDgjfgkobZ9du1UaHM+mwtNB98ezS3tLZxZBtCGtvllbXKDN0JbSRcqsg==
-----END PUBLIC KEY-----
`;

/** Returns a usign signature file for `content`. */
export function usignSignature(content: Buffer, { id, privateKey }: DemoKey): Buffer {
  const bytes = Buffer.concat([Buffer.from('Ed'), Buffer.from(id, 'hex'), sign(null, content, privateKey)]);
  return Buffer.from(`untrusted comment: signed by key ${id}\n${bytes.toString('base64')}\n`);
}
