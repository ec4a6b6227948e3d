import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { generateUsignKey, parseUsignPublicKey, parseUsignSignature, publicOfUsignSecret, signUsign, verifyUsign } from './usign.ts';

const key = generateUsignKey('test');
const publicKey = parseUsignPublicKey(key.public);
if (publicKey === undefined) throw new Error('unreadable');

describe('usign', () => {
  it('reads the id of a key as the reference server does', () => {
    // fingerprint_pubkey_usign in asu's tests.
    expect(parseUsignPublicKey('RWSrHfFmlHslUcLbXFIRp+eEikWF9z1N77IJiX5Bt/nJd1a/x+L+SU89')?.id).toBe('ab1df166947b2551');
  });

  it('reads every key of upstream-keys.json, under its own id', async () => {
    const { usign } = JSON.parse(await readFile(new URL('./upstream-keys.json', import.meta.url), 'utf8')) as {
      usign: { id: string; key: string }[];
    };
    expect(usign.length).toBeGreaterThan(3);
    expect(usign.map(({ key: text }) => parseUsignPublicKey(text)?.id)).toEqual(usign.map(({ id }) => id));
  });

  it('accepts its own signatures, and none over data that differs in a byte', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.nat(), (data, at) => {
        const signature = parseUsignSignature(signUsign(data, key.secret));
        if (signature === undefined) return false;
        const other = Uint8Array.from(data, (byte, index) => (index === at % data.length ? byte ^ 1 : byte));
        return verifyUsign(data, signature, publicKey) && !verifyUsign(other, signature, publicKey);
      }),
    );
  });

  it('does not accept a signature under another id', () => {
    const data = Buffer.from('data');
    const signature = parseUsignSignature(signUsign(data, key.secret));
    expect(signature && verifyUsign(data, { ...signature, id: '0'.repeat(16) }, publicKey)).toBe(false);
  });

  it('finds the public half in a secret key', () => {
    expect(parseUsignPublicKey(publicOfUsignSecret(key.secret))).toEqual(publicKey);
  });

  it('rejects every other text as a key or a signature', () => {
    for (const text of ['', 'untrusted comment: x\n', '<!DOCTYPE html>', 'RWSrHfFm', 'A'.repeat(56), key.secret]) {
      expect(parseUsignPublicKey(text)).toBeUndefined();
      expect(parseUsignSignature(text)).toBeUndefined();
    }
    expect(() => signUsign(Buffer.from(''), key.public)).toThrow(TypeError);
  });
});
