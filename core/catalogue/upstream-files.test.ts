import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { finished } from '#lib/sliced.ts';
import {
  anyImagebuilder,
  dictionary,
  imagebuilderOf,
  MalformedFileError,
  parseFeeds,
  parseDigests as slicedParseDigests,
  parseProfiles as slicedParseProfiles,
  parseTargets as slicedParseTargets,
  parseVersions as slicedParseVersions,
} from './upstream-files.ts';

const parseDigests = (text: string) => finished(slicedParseDigests(text));
const parseProfiles = (text: string) => finished(slicedParseProfiles(text));
const parseTargets = (text: string) => finished(slicedParseTargets(text));
const parseVersions = (text: string) => finished(slicedParseVersions(text));

const A = 'a'.repeat(64);
const B = 'b'.repeat(64);

describe('.versions.json', () => {
  it('reads what upstream says', () => {
    const text = JSON.stringify({
      stable_version: '24.10.2',
      oldstable_version: '23.05.5',
      upcoming_version: '',
      versions_list: ['24.10.2'],
    });
    expect(parseVersions(text)).toEqual({ stable: '24.10.2', oldstable: '23.05.5', list: ['24.10.2'] });
  });

  it('is refused when it has no versions', () => {
    expect(() => parseVersions('{"error":"too many requests"}')).toThrow(MalformedFileError);
    expect(() => parseTargets('{"error":"too many requests"}')).toThrow(MalformedFileError);
    expect(parseTargets('{}')).toEqual({});
  });

  it('treats values of the wrong type as absent', () => {
    expect(parseVersions(JSON.stringify({ stable_version: 24, versions_list: ['24.10.2', 7, null, '../../etc'] }))).toEqual({
      list: ['24.10.2'],
    });
    expect(parseVersions(JSON.stringify({ versions_list: 'none' }))).toEqual({ list: [] });
  });
});

describe('.targets.json', () => {
  it('keeps pairs of target and architecture only', () => {
    const text = '{"x86/64":"x86_64","ath79/generic":"mips_24kc","bad":"x","a/b/c":"x","../up":"x","y/z":5,"__proto__":{"a/b":"c"}}';
    expect(parseTargets(text)).toEqual({ 'x86/64': 'x86_64', 'ath79/generic': 'mips_24kc' });
  });
});

describe('profiles.json', () => {
  const file = {
    arch_packages: 'mips_24kc',
    default_packages: ['base-files', 7, 'busybox'],
    linux_kernel: { version: '6.6.63', release: '1', vermagic: 'abc' },
    profiles: {
      good: { device_packages: ['kmod-usb2', '-swconfig'], supported_devices: ['8dev,good'], images: [] },
      bare: {},
      text: 'no object',
      '../path': {},
    },
    version_code: 'r28739-d9340319c6',
    source_date_epoch: '1612136917',
  };

  it('drops bad profiles and keeps the others', () => {
    const read = parseProfiles(JSON.stringify(file));
    expect(Object.keys(read.profiles)).toEqual(['good', 'bare']);
    expect(read.profiles['good']).toEqual({
      id: 'good',
      devicePackages: ['kmod-usb2', '-swconfig'],
      supportedDevices: ['8dev,good'],
      raw: file.profiles.good,
    });
    expect(read).toMatchObject({
      revision: 'r28739-d9340319c6',
      arch: 'mips_24kc',
      kernel: { version: '6.6.63', release: '1', vermagic: 'abc' },
      defaultPackages: ['base-files', 'busybox'],
    });
    expect(read.metadata).not.toHaveProperty('profiles');
    expect(read.metadata).toHaveProperty('source_date_epoch', '1612136917');
  });

  it('does without kernel, architecture and revision', () => {
    expect(parseProfiles(JSON.stringify({ profiles: {}, linux_kernel: { version: '6.6' }, version_code: {} }))).toEqual({
      revision: '',
      defaultPackages: [],
      profiles: {},
      metadata: { linux_kernel: { version: '6.6' }, version_code: {} },
    });
  });

  it('finds only profiles that are listed', () => {
    const { profiles } = parseProfiles('{"profiles":{"__proto__":{"x":1},"a":{}}}');
    expect(profiles['constructor']).toBeUndefined();
    expect(profiles['x']).toBeUndefined();
    expect(Object.keys(profiles)).toEqual(['a']);
  });

  it('is malformed without profiles', () => {
    expect(() => parseProfiles('{"profiles":[]}')).toThrow(MalformedFileError);
  });
});

describe('sha256sums', () => {
  it('reads both forms of lines and finds the ImageBuilder', () => {
    for (const suffix of ['xz', 'zst']) {
      const name = `openwrt-imagebuilder-24.10.2-x86-64.Linux-x86_64.tar.${suffix}`;
      const digests = parseDigests(`${A} *profiles.json\n${B} *${name}\n${A}  packages/Packages\n`);
      expect(imagebuilderOf(digests)).toEqual({ name, sha256: B });
      expect(digests.get('packages/Packages')).toBe(A);
    }
  });

  it('finds the ImageBuilder of another distribution by its prefix alone, and names one that is of none', () => {
    const name = 'immortalwrt-imagebuilder-24.10.2-x86-64.Linux-x86_64.tar.zst';
    const digests = new Map([
      ['immortalwrt-sdk-24.10.2-x86-64.Linux-x86_64.tar.zst', A],
      [name, B],
    ]);
    expect(imagebuilderOf(digests, 'immortalwrt-imagebuilder-')).toEqual({ name, sha256: B });
    expect(imagebuilderOf(digests)).toBeUndefined();
    expect(anyImagebuilder(digests)).toBe(name);
    expect(anyImagebuilder(new Map([['profiles.json', A]]))).toBeUndefined();
  });

  it('does not take another file for the ImageBuilder', () => {
    const names = [
      'openwrt-sdk-x86-64.Linux-x86_64.tar.zst',
      'x/openwrt-imagebuilder-a.Linux-x86_64.tar.zst',
      'openwrt-imagebuilder-$(id)x86_64.tar.xz',
    ];
    expect(imagebuilderOf(new Map(names.map((name) => [name, A])))).toBeUndefined();
  });

  it('refuses a list that is cut off', () => {
    expect(() => parseDigests(`${A} *profiles.json\n${B.slice(0, 30)}`)).toThrow(MalformedFileError);
    expect(() => parseDigests('')).toThrow(MalformedFileError);
  });
});

describe('feeds.conf', () => {
  it('names the feeds', () => {
    expect(
      parseFeeds('# comment\nsrc-git-full base https://a\n\nsrc-git  luci https://b;x\nsrc-git base https://c\nsrc-git ../../x y\n'),
    ).toEqual(['base', 'luci']);
    expect(parseFeeds('')).toEqual([]);
  });
});

const PARSERS = { parseVersions, parseTargets, parseProfiles, parseDigests, parseFeeds };
const JSON_PARSERS = [parseVersions, parseTargets, parseProfiles];
const HTML = '<!DOCTYPE html>\n<html><head><title>Log in</title></head><body>\n<h1>Log in</h1></body></html>\n';

it.each(Object.entries(PARSERS))('%s refuses an HTML page', (_, parse) => {
  expect(() => parse(HTML)).toThrow(MalformedFileError);
});

it('JSON of any shape is read or refused as malformed, and a file that is cut off is refused', () => {
  fc.assert(
    fc.property(fc.json(), fc.nat(), (text, cut) => {
      for (const parse of JSON_PARSERS) {
        try {
          parse(text);
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedFileError);
        }
        if (text.startsWith('{')) expect(() => parse(text.slice(0, cut % text.length))).toThrow(MalformedFileError);
      }
    }),
  );
});

it('wrong types anywhere in a profiles.json never lose the good profile', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), fc.jsonValue(), (a, b, c) => {
      const text = JSON.stringify({
        profiles: { good: { device_packages: a }, other: b },
        default_packages: c,
        linux_kernel: a,
        version_code: b,
      });
      expect(Object.keys(parseProfiles(text).profiles)).toContain('good');
    }),
  );
});

it('a dictionary has only the keys that were put into it', () => {
  expect(dictionary([['a', 1]])).toEqual({ a: 1 });
  expect(dictionary([['__proto__', 1]])['toString']).toBeUndefined();
});

describe('files larger than any real one', () => {
  const deep = `{"profiles":{"a":${'{"b":['.repeat(50_000)}1${']}'.repeat(50_000)}}}`;

  it.each([
    ['profiles.json', 'nested more than 32 deep', () => parseProfiles(deep)],
    ['.versions.json', 'nested more than 32 deep', () => parseVersions(deep)],
    ['.targets.json', 'nested more than 32 deep', () => parseTargets(deep)],
    ['profiles.json', 'more than 120000 values', () => parseProfiles(`{"profiles":{"a":[${'[],'.repeat(120_000)}1]}}`)],
    [
      'profiles.json',
      'more than 10000 profiles',
      () => parseProfiles(`{"profiles":{${Array.from({ length: 10_001 }, (_, id) => `"p${id}":{}`)}}}`),
    ],
    ['sha256sums', 'a line is no digest', () => parseDigests(`${'0'.repeat(64)} *${'a'.repeat(8 * 1024 * 1024)}\n`)],
    ['sha256sums', 'it is empty', () => parseDigests('\n'.repeat(8 * 1024 * 1024))],
    ['feeds.conf', 'more than 64 feeds', () => parseFeeds(Array.from({ length: 65 }, (_, id) => `src-git f${id} https://a\n`).join(''))],
  ])('%s is refused: %s', (what, reason, parse) => {
    expect(parse).toThrow(MalformedFileError);
    expect(parse).toThrow(`${what} from upstream cannot be used`);
    expect(parse).toThrow(reason);
  });
});
