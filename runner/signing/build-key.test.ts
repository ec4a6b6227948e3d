import { createPrivateKey, createPublicKey } from 'node:crypto';
import { mkdir, readdir, readFile, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { openBuildKey } from './build-key.ts';
import { parseUsignPublicKey, parseUsignSignature, signUsign, verifyUsign } from './usign.ts';

let directory: string;
beforeEach(async () => {
  directory = await temporaryDirectory();
});

describe('openBuildKey', () => {
  it('makes keys once and keeps them, with secrets readable by the owner only', async () => {
    const first = await openBuildKey(join(directory, 'keys'));
    const second = await openBuildKey(join(directory, 'keys'));
    expect(second.publicKey).toBe(first.publicKey);
    for (const secret of ['key-build', 'local-private-key.pem'])
      expect((await stat(join(directory, 'keys', secret))).mode & 0o777).toBe(0o600);
    expect((await stat(join(directory, 'keys'))).mode & 0o777).toBe(0o700);
  });

  it('gives the same keys to all processes that open it at once', async () => {
    const keys = await Promise.all(Array.from({ length: 10 }, () => openBuildKey(directory)));
    expect(new Set(keys.map(({ publicKey }) => publicKey)).size).toBe(1);
    expect((await readdir(directory)).sort()).toEqual(['key-build', 'key-build.pub', 'local-private-key.pem']);
  });

  it('installs for opkg a matching pair that the tree trusts', async () => {
    const key = await openBuildKey(join(directory, 'keys'));
    const tree = join(directory, 'tree');
    await mkdir(tree);
    await key.install(tree, 'opkg', undefined);
    const data = Buffer.from('Packages');
    const signature = parseUsignSignature(signUsign(data, await readFile(join(tree, 'key-build'), 'utf8')));
    const publicKey = parseUsignPublicKey(key.publicKey);
    expect(publicKey && signature && verifyUsign(data, signature, publicKey)).toBe(true);
    expect(await readFile(join(tree, 'keys', publicKey?.id ?? ''), 'utf8')).toBe(key.publicKey);
  });

  it('installs for apk a matching pair', async () => {
    const key = await openBuildKey(join(directory, 'keys'));
    await key.install(directory, 'apk', undefined);
    const secret = createPrivateKey(await readFile(join(directory, 'keys', 'local-private-key.pem'), 'utf8'));
    const text = await readFile(join(directory, 'keys', 'local-public-key.pem'), 'utf8');
    expect(createPublicKey(secret).export({ format: 'pem', type: 'spki' })).toBe(text);
  });

  it('does not write through a link in the tree', async () => {
    const key = await openBuildKey(join(directory, 'keys'));
    const tree = join(directory, 'tree');
    await mkdir(tree);
    await writeFile(join(directory, 'victim'), 'untouched');
    await symlink(join(directory, 'victim'), join(tree, 'key-build'));
    await key.install(tree, 'opkg', undefined);
    expect(await readFile(join(directory, 'victim'), 'utf8')).toBe('untouched');
  });

  it('keeps the first certificate it gets and installs it from then on', async () => {
    const key = await openBuildKey(join(directory, 'keys'));
    const [one, two] = [join(directory, 'one'), join(directory, 'two')];
    await mkdir(one);
    await mkdir(two);
    await key.keepCertificate(one);
    await writeFile(join(one, 'key-build.ucert'), 'first');
    await key.keepCertificate(one);
    await writeFile(join(one, 'key-build.ucert'), 'second');
    await key.keepCertificate(one);
    await key.install(two, 'opkg', undefined);
    expect(await readFile(join(two, 'key-build.ucert'), 'utf8')).toBe('first');
  });

  it('replaces a certificate from a clock that was ahead, because it is not valid yet', async () => {
    const key = await openBuildKey(join(directory, 'keys'));
    const [one, two] = [join(directory, 'one'), join(directory, 'two')];
    for (const tree of [one, two]) await mkdir(tree);
    await writeFile(join(one, 'key-build.ucert'), 'first');
    await key.keepCertificate(one);
    const inAnHour = new Date(Date.now() + 3_600_000);
    await utimes(join(directory, 'keys', 'key-build.ucert'), inAnHour, inAnHour);
    await key.install(two, 'opkg', undefined);
    expect(await readdir(two)).not.toContain('key-build.ucert');
    await writeFile(join(one, 'key-build.ucert'), 'second');
    await key.keepCertificate(one);
    await key.install(two, 'opkg', undefined);
    expect(await readFile(join(two, 'key-build.ucert'), 'utf8')).toBe('second');
  });
});
