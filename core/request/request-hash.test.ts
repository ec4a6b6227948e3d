import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BuildRequest } from './build-request.ts';
import { buildRequestParser } from './parse-build-request.ts';
import { binDirOf, canonicalJson, inputsDigest, requestHash } from './request-hash.ts';

const parse = buildRequestParser();
const base = parse({ version: '24.10.2', target: 'ath79/generic', profile: 'test', packages: ['vim', 'tmux'] });
const hashOf = (change: Partial<BuildRequest> = {}, revision = 'r1-a', inputs = 'i') =>
  requestHash({ ...base, ...change }, revision, inputs);

describe('the request hash', () => {
  it('is the same in every process and every release', () => {
    expect(hashOf()).toMatchInlineSnapshot(`"dab553aad63fdea040fbe13e036761a74eca799faaee01d22d0e675e36f7a4c6"`);
  });

  it.each([
    ['client', { client: 'owut/1' }],
    ['from_version', { from_version: '23.05.5' }],
    ['version_code, since the revision says it', { version_code: 'r1-a' }],
    ['the order of packages', { packages: ['tmux', 'vim'] }],
    ['repeated packages', { packages: ['tmux', 'vim', 'vim'] }],
    ['empty defaults', { defaults: '' }],
    ['the mode of no repositories', { repositories_mode: 'append' }],
  ] as [string, Partial<BuildRequest>][])('does not depend on %s', (_, change) => {
    expect(hashOf(change)).toBe(hashOf());
  });

  it.each([
    ['distro', { distro: 'immortalwrt' }],
    ['version', { version: '24.10.1' }],
    ['target', { target: 'ath79/nand' }],
    ['profile', { profile: 'other' }],
    ['packages', { packages: ['vim'] }],
    ['packages_versions', { packages_versions: { vim: '1' } }],
    ['diff_packages', { diff_packages: true }],
    ['defaults', { defaults: 'echo' }],
    ['rootfs_size_mb', { rootfs_size_mb: 100 }],
    ['filesystem', { filesystem: 'ext4' }],
    ['repositories', { repositories: { a: 'https://example.org/a' } }],
    ['repository_keys', { repository_keys: ['k'] }],
  ] as [string, Partial<BuildRequest>][])('depends on %s', (_, change) => {
    expect(hashOf(change)).not.toBe(hashOf());
  });

  it('depends on revision and inputs', () => {
    expect(new Set([hashOf(), hashOf({}, 'r2-a'), hashOf({}, 'r1-a', 'j')]).size).toBe(3);
  });

  it('does not depend on the order of repositories and keys', () => {
    const repositories = { a: 'https://example.org/a', b: 'https://example.org/b' };
    const reversed = Object.fromEntries(Object.entries(repositories).reverse());
    expect(hashOf({ repositories, repository_keys: ['x', 'y'] })).toBe(hashOf({ repositories: reversed, repository_keys: ['y', 'x'] }));
  });

  it('cannot be made equal for two requests by moving text between fields', () => {
    const text = fc.stringMatching(/^[a-z0-9.]{0,6}$/);
    fc.assert(
      fc.property(fc.array(text, { minLength: 6, maxLength: 6 }), fc.array(text, { minLength: 6, maxLength: 6 }), (a, b) => {
        const of = ([version, target, profile, one, two, revision]: string[]) =>
          hashOf({ version: version ?? '', target: target ?? '', profile: profile ?? '', packages: [`p${one}`, `q${two}`] }, revision);
        expect(of(a) === of(b)).toBe(a.every((value, i) => value === b[i]));
      }),
    );
  });
});

describe('canonical JSON', () => {
  it('is the same for equal values, however their keys are ordered', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).reverse());
        expect(canonicalJson(reversed)).toBe(canonicalJson(value));
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});

it('inputs change with the ImageBuilder and with any index', () => {
  const digests = [
    inputsDigest({ indexes: {} }),
    inputsDigest({ indexes: {}, imagebuilder: { name: 'a', sha256: '1' } }),
    inputsDigest({ indexes: { p: '1' }, imagebuilder: { name: 'a', sha256: '1' } }),
    inputsDigest({ indexes: { p: '2' }, imagebuilder: { name: 'a', sha256: '1' } }),
  ];
  expect(new Set(digests).size).toBe(4);
});

it('every attempt has a bin_dir of its own', () => {
  const hash = hashOf();
  expect(binDirOf(hash, 'a')).toMatch(/^[0-9a-f]{64}$/);
  expect(binDirOf(hash, 'a')).not.toBe(binDirOf(hash, 'b'));
});
