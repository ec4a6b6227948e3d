import { describe, expect, it } from 'vitest';
import { finished } from '#lib/sliced.ts';
import { neededPackages } from './needed-packages.ts';

const offer = (name: string, depends: string[] = [], provides: string[] = []) => ({ name, depends, provides });

describe('neededPackages', () => {
  const offered = [
    offer('luci', ['luci-base', 'libc']),
    offer('luci-base', ['luci', 'jshn', 'tls']),
    offer('jshn', ['gone']),
    offer('libfoo20240101', [], ['libfoo']),
    offer('tls-a', ['big'], ['tls', 'any']),
    offer('tls-b', [], ['tls', 'any']),
    offer('big'),
    offer('vim', ['libfoo']),
  ];
  const names = (asked: string[]) => finished(neededPackages(asked, offered)).map(({ name }) => name);

  it('follows dependencies, also in a circle, and leaves out what is in no index', () => {
    expect(names(['luci', 'unknown'])).toEqual(['luci', 'luci-base', 'jshn']);
  });

  it('follows a provided name to the one package that provides it, and takes none of several', () => {
    expect(names(['vim'])).toEqual(['vim', 'libfoo20240101']);
    expect(names(['any'])).toEqual([]);
  });

  it('takes a package from every repository that has one of its name', () => {
    const twice = [offer('a', ['b']), offer('a', ['c']), offer('b'), offer('c')];
    expect(finished(neededPackages(['a'], twice))).toEqual(twice);
  });

  it('ends with the packages, however deep they are nested', () => {
    const chain = Array.from({ length: 50_000 }, (_, at) => offer(`p${at}`, [`p${at + 1}`]));
    expect(finished(neededPackages(['p0'], chain))).toHaveLength(50_000);
  });
});
