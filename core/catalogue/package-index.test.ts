import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { finished } from '#lib/sliced.ts';
import type { PackageIndex, TargetRecord } from './catalogue.ts';
import {
  hasKmodSplit,
  packageIndex,
  apkFeed as slicedApkFeed,
  mergeFeeds as slicedMergeFeeds,
  parseIndexJson as slicedParseIndexJson,
  parsePackages as slicedParsePackages,
  targetIndexDocument,
  unknownPackages,
} from './package-index.ts';
import { MalformedFileError } from './upstream-files.ts';

const apkFeed = (...input: Parameters<typeof slicedApkFeed>) => finished(slicedApkFeed(...input));
const mergeFeeds = (...input: Parameters<typeof slicedMergeFeeds>) => finished(slicedMergeFeeds(...input));
const parseIndexJson = (text: string) => finished(slicedParseIndexJson(text));
const parsePackages = (text: string) => finished(slicedParsePackages(new TextEncoder().encode(text)));

const paragraph = (fields: Record<string, string>) =>
  `${Object.entries(fields)
    .map(([key, value]) => `${key}: ${value}`)
    .join('\n')}\nDescription:  Some words\n more of them: with a colon\n\n`;

describe('Packages', () => {
  const text =
    paragraph({ Package: 'luci', Version: '1', Architecture: 'all' }) +
    paragraph({ Package: 'libubox20240329', Version: '2024.03.29-r1', ABIVersion: '20240329', Architecture: 'x86_64' }) +
    paragraph({ Package: 'wpad-basic-mbedtls', Version: '2', Provides: 'hostapd, wpa-supplicant (= 2), @wpad-any', Architecture: 'mips' });

  it('strips ABI suffixes, and takes the first architecture that is not "all"', () => {
    expect(parsePackages(text)).toEqual({
      architecture: 'x86_64',
      packages: { luci: '1', libubox: '2024.03.29-r1', 'wpad-basic-mbedtls': '2' },
      aliases: ['libubox20240329', 'hostapd', 'wpa-supplicant', 'wpad-any'],
      complete: true,
    });
  });

  it('keeps the declared conflicts, without versions and repetitions', () => {
    const feed = parsePackages(
      paragraph({ Package: 'dnsmasq-full', Version: '1', Conflicts: 'dnsmasq, dnsmasq-dhcpv6 (>= 2), dnsmasq' }) +
        paragraph({ Package: 'libfoo1', Version: '1', ABIVersion: '1', Conflicts: 'libbar' }) +
        paragraph({ Package: 'vim', Version: '1' }),
    );
    expect(feed.conflicts).toEqual({ 'dnsmasq-full': ['dnsmasq', 'dnsmasq-dhcpv6'], libfoo: ['libbar'] });
    expect(text).not.toContain('Conflicts');
    expect(parsePackages(text)).not.toHaveProperty('conflicts');
  });

  it('keeps what base-files depends on, and no other dependencies', () => {
    const text = [
      'Package: base-files\nVersion: 1-r23630-842932a63d\nDepends: libc, netifd, jsonfilter, fstools (>= 2023)\nArchitecture: x86_64\n\n',
      'Package: netifd\nVersion: 1\nDepends: libc, libuci20130104, ubus\n\n',
    ].join('');
    const target = parsePackages(text);
    expect(target.baseNeeds).toEqual(['libc', 'netifd', 'jsonfilter', 'fstools']);
    const feeds = parsePackages('Package: netifd\nVersion: 1\nDepends: libc\n\n');
    expect(feeds).not.toHaveProperty('baseNeeds');
    expect(packageIndex(target, feeds, 'x86_64').baseNeeds).toEqual(target.baseNeeds);
    expect(packageIndex(mergeFeeds([feeds, target]), feeds, 'x86_64').baseNeeds).toEqual(target.baseNeeds);
    const apk = apkFeed([
      { name: 'base-files', version: '1702', arch: 'x86_64', provides: [], tags: [], depends: ['busybox', 'libc', 'procd'] },
      { name: 'procd', version: '1', arch: 'x86_64', provides: [], tags: [] },
    ]);
    expect(apk.baseNeeds).toEqual(['busybox', 'libc', 'procd']);
  });

  it('has those of the feed whose package counts, and those of the target besides', () => {
    const feed = (conflicts: string) =>
      parsePackages(paragraph({ Package: 'a', Version: '1', ...(conflicts && { Conflicts: conflicts }) }));
    expect(mergeFeeds([feed('b'), feed('c')]).conflicts).toEqual({ a: ['c'] });
    expect(mergeFeeds([feed('b'), feed('')])).not.toHaveProperty('conflicts');
    expect(packageIndex(feed('b'), feed('c'), 'x').conflicts).toEqual({ a: ['b', 'c'] });
    expect(packageIndex(feed(''), feed(''), 'x')).not.toHaveProperty('conflicts');
  });

  it('may be empty, but not cut off or another file', () => {
    expect(parsePackages('').packages).toEqual({});
    expect(parsePackages('\n\n').packages).toEqual({});
    expect(() => parsePackages(text.slice(0, -30))).toThrow(MalformedFileError);
    expect(() => parsePackages('Package: a\n\n')).toThrow(MalformedFileError);
    expect(() => parsePackages('<html>\n<body>no</body>\n</html>\n')).toThrow(MalformedFileError);
  });

  it('gives back every package that was put in', () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9._+-]{0,12}[a-z]$/);
    const entry = fc.record({
      name,
      abi: fc.option(fc.stringMatching(/^[0-9]{1,3}$/)),
      version: fc.stringMatching(/^[0-9]\.[0-9]-r[0-9]$/),
    });
    fc.assert(
      fc.property(fc.uniqueArray(entry, { selector: (e) => e.name }), (entries) => {
        const file = entries.map(({ name, abi, version }) =>
          paragraph({ Package: `${name}${abi ?? ''}`, Version: version, ...(abi !== null && { ABIVersion: abi }) }),
        );
        const feed = parsePackages(file.join(''));
        expect(feed.packages).toEqual(Object.fromEntries(entries.map(({ name, version }) => [name, version])));
        expect(feed.aliases).toEqual(entries.flatMap(({ name, abi }) => (abi === null ? [] : [`${name}${abi}`])));
      }),
    );
  });
});

describe('an index larger than any real one', () => {
  const many = Array.from({ length: 100_001 }, (_, index) => `name-${index}`);
  const listing = (names: readonly string[]) =>
    JSON.stringify({ version: 2, packages: Object.fromEntries(names.map((name) => [name, '1'])) });
  const tooMany = 'it lists more than 100000 names';
  const tooLong = 'a name or version of more than 256 characters';

  it.each([
    ['index.json', tooMany, () => parseIndexJson(listing(many))],
    [
      'index.json',
      'it has more than 120000 values',
      () => parseIndexJson(listing(Array.from({ length: 120_000 }, (_, index) => `n${index}`))),
    ],
    ['index.json', 'nested more than 32 deep', () => parseIndexJson(`{"a":${'['.repeat(100_000)}`)],
    ['index.json', tooLong, () => parseIndexJson(listing(['n'.repeat(257)]))],
    ['Packages', tooMany, () => parsePackages(many.map((name) => `Package: ${name}\nVersion: 1\n\n`).join(''))],
    [
      'Packages',
      tooMany,
      () => parsePackages(`Package: a\nVersion: 1\n${many.map((name) => `Provides: ${name}\n\nPackage: a\nVersion: 1\n`).join('')}`),
    ],
    ['Packages', tooLong, () => parsePackages(`Package: a\nVersion: ${'1'.repeat(257)}\n`)],
    ['Packages', 'a field of more than 65536 bytes', () => parsePackages(`Package: a\nVersion: 1\nProvides: ${'a, '.repeat(30_000)}\n`)],
    ['packages.adb', tooMany, () => apkFeed(many.map((name) => ({ name, version: '1', arch: 'x', provides: [], tags: [] })))],
    ['All feeds', tooMany, () => mergeFeeds([parseIndexJson(listing(many.slice(1))), parseIndexJson(listing(['one-more']))])],
  ])('%s is refused: %s', (what, reason, parse) => {
    expect(parse).toThrow(MalformedFileError);
    expect(parse).toThrow(`${what} from upstream cannot be used`);
    expect(parse).toThrow(reason);
  });

  it('may have megabytes of lines that are not read', () => {
    const text = `Package: a\n${'Description: x\n y\n'.repeat(200_000)}${'\n'.repeat(1_000_000)}${'z'.repeat(1_000_000)}\nPackage: b\nVersion: 2\n`;
    expect(() => parsePackages(text)).toThrow('a paragraph names no package and version');
    expect(parsePackages(text.replace('\n', '\nVersion: 1\n')).packages).toEqual({ a: '1', b: '2' });
  });
});

describe('index.json', () => {
  it('has clean names from version 2 on', () => {
    expect(parseIndexJson('{"version":2,"architecture":"x86_64","packages":{"libgcc":"1","odd":5}}')).toMatchObject({
      clean: true,
      architecture: 'x86_64',
      packages: { libgcc: '1' },
      complete: false,
    });
    expect(parseIndexJson('{"architecture":"x86_64","packages":{"libgcc1":"1"}}')).toMatchObject({
      clean: false,
      packages: { libgcc1: '1' },
    });
  });

  it('is malformed without packages', () => {
    expect(() => parseIndexJson('{"version":2}')).toThrow(MalformedFileError);
    expect(() => parseIndexJson('{"version":2,"packages":{"a"')).toThrow(MalformedFileError);
  });
});

it('reads apk packages with and without ABI suffix, without sonames', () => {
  const feed = apkFeed([
    { name: 'luci', version: '1', arch: 'noarch', provides: ['luci-any'], tags: [] },
    {
      name: 'libsrtp2-1',
      version: '2.6.0-r1',
      arch: 'x86_64',
      provides: ['libsrtp2', 'so:libsrtp2.so.1'],
      tags: ['openwrt:abiversion=-1'],
    },
  ]);
  expect(feed).toEqual({
    architecture: 'x86_64',
    packages: { luci: '1', libsrtp2: '2.6.0-r1' },
    aliases: ['luci-any', 'libsrtp2-1', 'libsrtp2'],
    complete: true,
  });
});

const feed = (packages: Record<string, string>, aliases: string[] = [], complete = true) => ({ packages, aliases, complete });

it('merges feeds: the later wins, two versions are uncertain, and all must be complete', () => {
  const merged = mergeFeeds([feed({ a: '1', b: '1' }, ['x']), { ...feed({ b: '2' }, ['x', 'y']), architecture: 'mips' }]);
  expect(merged).toEqual({ architecture: 'mips', packages: { a: '1', b: '2' }, aliases: ['x', 'y'], uncertain: ['b'], complete: true });
  expect(mergeFeeds([feed({}), feed({}, [], false)]).complete).toBe(false);
});

it('keeps kernel modules apart from 23.05.6 on', () => {
  const apart = [
    'snapshots',
    'releases/23.05.6',
    'releases/23.05.10',
    'releases/23.05-SNAPSHOT',
    'releases/24.10.0-rc1',
    'releases/25.12.2',
    'releases/26.10-SNAPSHOT',
  ];
  const together = [
    'releases/22.07.3',
    'releases/23.05.0-rc3',
    'releases/23.05.2',
    'releases/23.05.5',
    'releases/1.2.3',
    'elsewhere/24.10.1',
  ];
  expect(apart.filter((path) => !hasKmodSplit(path))).toEqual([]);
  expect(together.filter(hasKmodSplit)).toEqual([]);
});

it('makes the target index document, which is empty when there is no index', () => {
  const index = packageIndex({ ...feed({ kernel: '6.6' }), architecture: 'mips_mips32' }, feed({ vim: '9' }), 'mips_24kc');
  expect(targetIndexDocument(index)).toEqual({ architecture: 'mips_mips32', packages: { kernel: '6.6' } });
  expect(targetIndexDocument(undefined)).toEqual({});
  expect(targetIndexDocument({ ...index, target: {} })).toEqual({});
});

describe('unknown packages', () => {
  const profile = (devicePackages: string[]) => ({ id: 'p', devicePackages, supportedDevices: [], raw: {} });
  const record: TargetRecord = {
    version: '24.10.2',
    target: 'x86/64',
    versionPath: 'releases/24.10.2',
    arch: 'x86_64',
    revision: 'r1-a',
    defaultPackages: ['odhcpd-ipv6only'],
    profiles: { p: profile(['ath10k-board', '-swconfig']), q: profile(['kmod-of-q']) },
    metadata: {},
    indexes: {},
    fetchedAt: '2026-01-01T00:00:00.000Z',
  };
  const index: PackageIndex = packageIndex(
    feed({ 'kmod-usb2': '6' }),
    feed({ vim: '9', tmux: '3', 'luci-app-sqm': '1', libubox: '2' }, ['libubox20240329', 'wpad']),
    'x86_64',
  );
  const missing = (asked: string[], of = index) => unknownPackages(asked, of, record).missing;

  it('knows feeds, other names, default and device packages, and what is always there', () => {
    const known = [
      'vim',
      'kmod-usb2',
      'libubox',
      'libubox20240329',
      'wpad',
      'odhcpd-ipv6only',
      'ath10k-board',
      'kmod-of-q',
      'kernel',
      'libc',
      'base-files',
    ];
    expect(missing(known)).toEqual([]);
  });

  it('names each missing package once, in the order asked', () => {
    expect(missing(['zzz', 'vim', 'aaa', 'zzz', 'swconfig', 'constructor', '__proto__'])).toEqual([
      'zzz',
      'aaa',
      'swconfig',
      'constructor',
      '__proto__',
    ]);
  });

  it('never refuses a removal, nor anything without a complete index', () => {
    expect(missing(['-zzz', '-vim'])).toEqual([]);
    expect(missing(['zzz'], { ...index, complete: false })).toEqual([]);
  });

  it('suggests names that come close', () => {
    expect(unknownPackages(['vmi', 'luci-app-sqn', 'nothing-like-it', 'tmxu'], index, record).suggestions).toEqual({
      'luci-app-sqn': ['luci-app-sqm'],
    });
    expect(unknownPackages(['vim2', 'tmu'], index, record).suggestions).toEqual({ vim2: ['vim'], tmu: ['tmux'] });
  });

  it('suggests a name that is one change away, whatever the change', () => {
    const name = fc.stringMatching(/^[a-z]{5,20}$/);
    fc.assert(
      fc.property(name, fc.nat(), fc.constantFrom('drop', 'add', 'replace'), fc.stringMatching(/^[0-9]$/), (right, at, change, digit) => {
        const place = at % right.length;
        const rest = right.slice(change === 'add' ? place : place + 1);
        const wrong = `${right.slice(0, place)}${change === 'drop' ? '' : digit}${rest}`;
        const some = packageIndex(feed({ kernel: '1' }), feed({ [right]: '1', 'something-else': '1' }), 'x');
        expect(unknownPackages([wrong], some, record).suggestions).toEqual({ [wrong]: [right] });
      }),
    );
  });

  it('suggests nothing that is further away', () => {
    const some = packageIndex(feed({ kernel: '1' }), feed({ abcdefgh: '1', hgfedcba: '1' }), 'x');
    expect(unknownPackages(['abcdexyz', 'bcdefgha', 'abcdefghxyz'], some, record).suggestions).toEqual({ bcdefgha: ['abcdefgh'] });
  });

  it('suggests the successor of a package that was renamed', () => {
    const later = packageIndex(feed({ kernel: '6' }), feed({ owut: '1' }), 'x86_64');
    expect(unknownPackages(['auc'], later, record)).toEqual({ missing: ['auc'], suggestions: { auc: ['owut'] } });
  });

  it('every package of the index is known, none of the others', () => {
    const name = fc.stringMatching(/^[a-z0-9][a-z0-9.+-]{0,20}$/);
    fc.assert(
      fc.property(fc.array(name), fc.array(name), (present, asked) => {
        const some = packageIndex(feed({ anchor: '1' }), feed(Object.fromEntries(present.map((p) => [p, '1']))), 'x');
        const { missing } = unknownPackages([...present, ...asked], some, record);
        expect(missing.filter((p) => present.includes(p))).toEqual([]);
        const expected = asked.filter(
          (p) => !present.includes(p) && !['anchor', 'kernel', 'libc', 'base-files'].includes(p) && !missing.includes(p),
        );
        expect(expected).toEqual([]);
      }),
    );
  });
});
