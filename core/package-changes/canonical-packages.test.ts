import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CanonicalPackagesInput, canonicalPackages } from './canonical-packages.ts';

const canonical = (input: Partial<CanonicalPackagesInput>) =>
  canonicalPackages({ packages: [], diffPackages: true, defaultPackages: [], profilePackages: [], ...input });

/** The cases of `diff_packages` in the reference server's tests/test_util.py, in canonical order. */
describe('with diff_packages', () => {
  it.each([
    [['test1'], ['test1', 'test2'], ['-test2', 'test1']],
    [['test1'], ['test1'], ['test1']],
    [['test1'], ['test3', 'test2', 'test1'], ['-test2', '-test3', 'test1']],
    [['test1'], ['test1', '-test3'], ['-test3', 'test1']],
    [
      ['z', 'x'],
      ['x', 'y', 'z'],
      ['-y', 'x', 'z'],
    ],
    [
      ['x', 'z'],
      ['x', 'y', 'z'],
      ['-y', 'x', 'z'],
    ],
    [
      ['z', 'y'],
      ['x', 'y', 'z'],
      ['-x', 'y', 'z'],
    ],
    [
      ['-y', 'a', 'a'],
      ['x', 'y'],
      ['-x', '-y', 'a'],
    ],
    [[], ['b', '-b'], ['-b']],
    [[], ['foo--bar'], ['-foo--bar']],
  ])('%j of %j → %j', (packages, defaultPackages, expected) => {
    expect(canonical({ packages, defaultPackages })).toEqual(expected);
  });

  it('a removal of the device does not beat the package of the request', () => {
    expect(canonical({ packages: ['a', 'swconfig'], defaultPackages: ['a', 'b'], profilePackages: ['-swconfig', '-c'] })).toEqual([
      '-b',
      '-c',
      'a',
      'swconfig',
    ]);
  });

  it('also removes the packages of the profile', () => {
    expect(canonical({ packages: ['b', 'luci'], defaultPackages: ['a', 'b'], profilePackages: ['kmod-c', '-swconfig'] })).toEqual([
      '-a',
      '-kmod-c',
      '-swconfig',
      'b',
      'luci',
    ]);
  });
});

it('without diff_packages removes nothing', () => {
  expect(canonical({ packages: ['b', '-c', 'a', 'b'], defaultPackages: ['x'], diffPackages: false })).toEqual(['-c', 'a', 'b']);
});

describe('a package that upstream marks with a tilde', () => {
  const profilePackages = ['kmod-c', '~boot-blob'];
  it('is always taken off the list, and others are not, since ImageBuilder would install it', () => {
    expect(canonical({ packages: ['b'], profilePackages })).toEqual(['-kmod-c', '-~boot-blob', 'b']);
    expect(canonical({ packages: ['b'], profilePackages, diffPackages: false })).toEqual(['-~boot-blob', 'b']);
    expect(canonical({ packages: ['b'], profilePackages: ['odd=name'], diffPackages: false })).toEqual(['b']);
    expect(canonical({ packages: ['b', '-~boot-blob'], profilePackages, diffPackages: false })).toEqual(['-~boot-blob', 'b']);
  });
});

it('does not depend on the order and names nothing twice', () => {
  const names = fc.array(fc.constantFrom('a', 'b', 'c', '-a', '-b', 'luci-app-x', 'libstdc++', 'Z', '0'));
  fc.assert(
    fc.property(names, names, names, fc.boolean(), (packages, defaultPackages, profilePackages, diffPackages) => {
      const once = canonical({ packages, defaultPackages, profilePackages, diffPackages });
      const reversed = { packages: packages.toReversed(), defaultPackages: profilePackages, profilePackages: defaultPackages.toReversed() };
      expect(canonical({ ...reversed, diffPackages })).toEqual(once);
      expect(new Set(once).size).toBe(once.length);
      for (const name of packages) expect(once).toContain(name);
    }),
  );
});
