import { describe, expect, it } from 'vitest';
import { checkManifest } from './check-manifest.ts';

const manifest = { test: '1.0', libfoo: '2.0' };
const installed = [
  { name: 'test', installedName: 'test', version: '1.0' },
  { name: 'libfoo', installedName: 'libfoo3', version: '2.0', abiVersion: '3' },
];

describe('checkManifest', () => {
  it.each([[{}], [{ test: '1.0' }], [{ test: '', libfoo: '2.0' }], [{ libfoo3: '2.0' }], [{ '-gone': '1', '-test': '' }]])(
    '%j is fulfilled',
    (required) => {
      expect(checkManifest(manifest, required, installed)).toBeUndefined();
    },
  );

  it('accepts a package under the names that it provides', () => {
    const json = {
      name: 'nftables-json',
      installedName: 'nftables-json',
      version: '1.1.1-r1',
      provides: { nftables: '1.1.1-r1', nft: '7' },
    };
    const check = (required: Record<string, string>) => checkManifest({ 'nftables-json': '1.1.1-r1' }, required, [json]);
    expect(check({ nftables: '1.1.1-r1', nft: '7' })).toBeUndefined();
    expect(check({ nftables: '' })).toBeUndefined();
    expect(check({ nftables: '2' })?.errors).toMatchObject([{ code: 'version_mismatch', required: '2', found: '1.1.1-r1' }]);
  });

  it.each([
    [{ test: '2.0' }, 'Impossible package selection: test version not as requested: 2.0 vs. 1.0', { required: '2.0', found: '1.0' }],
    [{ test2: '1.0' }, 'Impossible package selection: test2 not in manifest', { required: '1.0' }],
    [{ test2: '' }, 'Impossible package selection: test2 not in manifest', { required: '' }],
    [
      { test: '1.0', libfoo3: '1' },
      'Impossible package selection: libfoo3 version not as requested: 1 vs. 2.0',
      { required: '1', found: '2.0' },
    ],
    [{ constructor: '' }, 'Impossible package selection: constructor not in manifest', { required: '' }],
  ])('%j is not fulfilled', (required, detail, error) => {
    expect(checkManifest(manifest, required, installed)).toEqual({
      detail,
      errors: [{ code: 'version_mismatch', packages: [expect.any(String)], message: expect.any(String), ...error }],
    });
  });
});
