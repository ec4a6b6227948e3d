import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { openBuildKey } from './build-key.ts';
import { placeKeys } from './place-keys.ts';
import { generateUsignKey } from './usign.ts';

describe('placeKeys', () => {
  let directory: string;
  beforeEach(async () => {
    directory = join(await temporaryDirectory(), 'keys');
  });
  afterEach(() => rm(join(directory, '..'), { recursive: true }));

  it('makes every runner sign with the given key, even where there was another one', async () => {
    const own = (await openBuildKey(directory)).publicKey;
    const given = generateUsignKey('given');
    await placeKeys(directory, { 'key-build': given.secret, 'local-private-key.pem': undefined });
    const keyOf = (text: string) => text.trim().split('\n').at(-1);
    expect(keyOf((await openBuildKey(directory)).publicKey)).toBe(keyOf(given.public));
    expect(keyOf(own)).not.toBe(keyOf(given.public));
    expect((await stat(join(directory, 'key-build'))).mode & 0o777).toBe(0o600);
  });

  it('leaves keys alone that are not given', async () => {
    await openBuildKey(directory);
    const before = await readFile(join(directory, 'local-private-key.pem'), 'utf8');
    await placeKeys(directory, {});
    expect(await readFile(join(directory, 'local-private-key.pem'), 'utf8')).toBe(before);
  });
});
