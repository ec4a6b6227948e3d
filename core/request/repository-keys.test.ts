import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { InvalidRepositoryKeyError, repositoryKeyFiles, usignFingerprint } from './repository-keys.ts';

/** A public key as usign writes it. */
const usign = (fingerprint: string) =>
  Buffer.concat([Buffer.from('Ed'), Buffer.from(fingerprint, 'hex'), Buffer.alloc(32, 7)]).toString('base64');
const KEY = usign('ab1df166947b2551');
const { publicKey: PEM } = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});

describe('repositoryKeyFiles', () => {
  it('names a usign key by its fingerprint, with or without its comment', () => {
    const content = `untrusted comment: ab1df166947b2551\n${KEY}\n`;
    const expected = [{ path: 'keys/ab1df166947b2551', content }];
    expect(repositoryKeyFiles([KEY])).toEqual(expected);
    expect(repositoryKeyFiles([`untrusted comment: somebody's key\n${KEY}\n`])).toEqual(expected);
    expect(repositoryKeyFiles([`  untrusted comment: x\r\n${KEY}\r\n`])).toEqual(expected);
  });

  it('names a PEM key by its position', () => {
    expect(repositoryKeyFiles([KEY, PEM])).toEqual([
      { path: 'keys/ab1df166947b2551', content: expect.any(String) },
      { path: 'keys/custom-1.pem', content: PEM },
    ]);
    expect(repositoryKeyFiles([])).toEqual([]);
  });

  it.each([
    '',
    'no base64!',
    'aGVsbG8=',
    '../../etc/passwd',
    KEY.slice(0, -4),
    `${KEY}AAAA`,
    `R${KEY.slice(1).replace('W', 'X')}`,
    '-----BEGIN PUBLIC KEY-----',
    `${PEM}\n$(shell id)`,
  ])('refuses %j by its place', (key) => {
    expect(() => repositoryKeyFiles([KEY, key])).toThrow(InvalidRepositoryKeyError);
    expect(() => repositoryKeyFiles([KEY, key])).toThrow('repository_keys[1]');
  });
});

it('usignFingerprint reads the key that OpenWrt signs 24.10 with', () => {
  expect(usignFingerprint('RWTTEMbygz6X95lKDAulctZy3aj15823THXfyrfXgwGbxZlXBd2brNcw')).toBe('d310c6f2833e97f7');
  expect(usignFingerprint('not a key')).toBeUndefined();
});
