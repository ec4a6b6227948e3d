import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { UnsafeArgumentError } from './commands.ts';
import { RepositoryNameTakenError, repositoryFile, withUpstream } from './repository-file.ts';

const fixture = (name: string) => readFile(new URL(`./fixtures/${name}`, import.meta.url), 'utf8');
const OPKG = { usesApk: false, mode: 'append', original: '', repositories: {} } as const;
const APK = { ...OPKG, usesApk: true } as const;

describe('repositoryFile for opkg', () => {
  it('keeps the existing lines and adds the client’s', async () => {
    const original = await fixture('repositories.24.10.2.conf');
    const merged = repositoryFile({ ...OPKG, original, repositories: { custom: 'https://a.example/x' } });
    const lines = merged.split('\n');
    for (const line of original.split('\n')) expect(lines).toContain(line);
    expect(lines.filter((line) => line === 'src/gz custom https://a.example/x')).toHaveLength(1);
    expect(lines.filter((line) => line === 'src imagebuilder file:packages')).toHaveLength(1);
    expect(lines.filter((line) => line === 'option check_signature')).toHaveLength(1);
    expect(merged).toMatch(/[^\n]\n$/);
    expect(merged).not.toContain('\n\n');
  });

  it('adds the lines that a build needs', () => {
    expect(repositoryFile(OPKG)).toBe('src imagebuilder file:packages\noption check_signature\n');
  });

  it('replaces the feeds by the client’s, sorted by name', async () => {
    const repositories = { b: 'https://a.example/b', a: 'https://a.example/a', B: 'https://a.example/B' };
    expect(repositoryFile({ ...OPKG, mode: 'replace', original: await fixture('repositories.24.10.2.conf'), repositories })).toBe(
      [
        'src/gz B https://a.example/B',
        'src/gz a https://a.example/a',
        'src/gz b https://a.example/b',
        'src imagebuilder file:packages',
        'option check_signature',
        '',
      ].join('\n'),
    );
  });

  it.each(['append', 'replace'] as const)('has one repository of each name (%s)', async (mode) => {
    const original = await fixture('repositories.24.10.2.conf');
    const named = (name: string) => () =>
      repositoryFile({ ...OPKG, mode, original, repositories: { a: 'https://a.example/a', [name]: 'https://a.example/x' } });
    expect(named('imagebuilder')).toThrow(RepositoryNameTakenError);
    if (mode === 'append') expect(named('openwrt_base')).toThrow(/openwrt_base is taken/);
    else expect(named('openwrt_base')()).toContain('src/gz openwrt_base https://a.example/x');
    expect(named('openwrt_bas')()).toContain('src/gz openwrt_bas https://a.example/x');
  });

  it('adds no second line when a client repeats a feed of the ImageBuilder, under any address of upstream', async () => {
    const upstreamUrl = 'https://mirror.example/openwrt';
    const original = withUpstream(await fixture('repositories.24.10.2.conf'), upstreamUrl);
    const base = /src\/gz openwrt_base (\S+)/.exec(original)?.[1] ?? '';
    for (const url of [base, `${base}/`, base.replace(upstreamUrl, 'https://downloads.openwrt.org')]) {
      const text = repositoryFile({ ...OPKG, mode: 'append', original, upstreamUrl, repositories: { openwrt_base: url } });
      expect(text.match(/openwrt_base/g)).toHaveLength(1);
    }
  });
});

describe('repositoryFile for apk', () => {
  it('has no names, so none can be taken', () => {
    expect(repositoryFile({ ...APK, original: 'x\n', repositories: { imagebuilder: 'https://a.example/x' } })).toContain(
      'https://a.example/x',
    );
  });

  it('keeps the existing lines and adds bare URLs', async () => {
    const original = await fixture('repositories.25.12.0');
    const url = 'https://a.example/packages.adb';
    expect(repositoryFile({ ...APK, original, repositories: { custom: url } })).toBe(`${original}${url}\n`);
  });

  it('replaces everything except the ImageBuilder’s own packages', () => {
    const original = '# comment\nhttps://a.example/old.adb\npackages/packages.adb\n';
    const repositories = { custom: 'https://a.example/new.adb' };
    expect(repositoryFile({ ...APK, mode: 'replace', original, repositories })).toBe('packages/packages.adb\nhttps://a.example/new.adb\n');
  });
});

it.each([
  [{ 'a b': 'https://a.example/' }],
  [{ 'a\nsrc/gz evil': 'https://a.example/' }],
  [{ '': 'https://a.example/' }],
  [{ '.': 'https://a.example/' }],
  [{ '..': 'https://a.example/' }],
  [{ a: 'https://a.example/\nsrc/gz b https://b.example/' }],
  [{ a: 'file:///etc' }],
  [{ a: 'https://a.example/$(id)' }],
  [{ a: 'https://a.example/ x' }],
])('refuses to write %j', (repositories) => {
  for (const usesApk of [true, false])
    expect(() => repositoryFile({ ...OPKG, usesApk, repositories: repositories as Record<string, string> })).toThrow(UnsafeArgumentError);
});

describe('withUpstream', () => {
  it.each(['http://127.0.0.1:8000/mirror', 'http://127.0.0.1:8000/mirror/', 'http://127.0.0.1:8000/mirror//'])(
    'makes the feeds lead to %s',
    async (upstream) => {
      const opkg = withUpstream(await fixture('repositories.24.10.2.conf'), upstream);
      expect(opkg).toContain('src/gz openwrt_core http://127.0.0.1:8000/mirror/releases/24.10.2/targets/x86/64/packages\n');
      expect(opkg).toContain('src imagebuilder file:packages');
      expect(opkg).not.toContain('downloads.openwrt.org');
      const apk = withUpstream(await fixture('repositories.25.12.0'), upstream);
      expect(apk).toContain('\nhttp://127.0.0.1:8000/mirror/releases/25.12.0/packages/x86_64/base/packages.adb\n');
      expect(apk).not.toContain('downloads.openwrt.org');
    },
  );

  it('replaces the hosts of another distribution, with their paths, and no others', () => {
    const hosts = ['downloads.other.example', 'mirror.example/other', 'mirror.example', 'cache.example:8080'];
    const text = [
      'https://downloads.other.example/a',
      'https://mirror.example/other/b',
      'https://mirror.example/c',
      'http://cache.example:8080/d',
      'https://downloads.openwrt.org/e',
      'https://downloadsxother.example/f',
    ].join('\n');
    expect(withUpstream(text, 'http://u.example', hosts).split('\n')).toEqual([
      'http://u.example/a',
      'http://u.example/b',
      'http://u.example/c',
      'http://u.example/d',
      'https://downloads.openwrt.org/e',
      'https://downloadsxother.example/f',
    ]);
    expect(withUpstream(text, 'http://u.example', [])).toBe(text);
  });

  it('replaces every spelling of that host and no other host', () => {
    const text = 'https://downloads.openwrt.org\nhttp://downloads.openwrt.org//a\nhttps://downloads.openwrt.org.evil.example/a\n';
    expect(withUpstream(text, 'http://u.example/$&')).toBe(
      'http://u.example/$&\nhttp://u.example/$&/a\nhttps://downloads.openwrt.org.evil.example/a\n',
    );
  });
});
