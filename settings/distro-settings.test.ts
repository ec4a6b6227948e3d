import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { demoOtherKey } from '#demo/upstream/key.ts';
import { distroSettings, writtenDistros } from './distro-settings.ts';
import { readSettings } from './read-settings.ts';

const read = (distros: object) => readSettings(z.object(distroSettings), { DISTROS: JSON.stringify(distros) }).DISTROS;
const branches = { '24.10': { path: 'releases/{version}', enabled: true } };

describe('DISTROS', () => {
  it('is none by default', () => {
    expect(readSettings(z.object(distroSettings), {}).DISTROS).toEqual([]);
  });

  it('names the ImageBuilders after the distribution and rewrites the host of its upstream, unless it says otherwise', () => {
    expect(read({ immortalwrt: { upstream_url: 'https://downloads.immortalwrt.org/', branches } })).toEqual([
      {
        name: 'immortalwrt',
        upstreamUrl: 'https://downloads.immortalwrt.org',
        imagebuilderPrefix: 'immortalwrt-imagebuilder-',
        trustedKeys: [],
        repositoryHosts: ['downloads.immortalwrt.org'],
        branches: [{ name: '24.10', ...branches['24.10'] }],
      },
    ]);
    const all = {
      upstream_url: 'http://127.0.0.1:8080/mine',
      branches,
      imagebuilder_prefix: 'openwrt-imagebuilder-',
      trusted_keys: [demoOtherKey.base64],
      repository_hosts: ['mirror.example/mine', 'cache.example:81'],
    };
    const distros = read({ mine: all });
    expect(writtenDistros(distros)).toEqual({ mine: all });
    expect(read(writtenDistros(distros))).toEqual(distros);
  });

  it.each([
    ['openwrt is set by other settings', { openwrt: { upstream_url: 'https://a.example', branches } }],
    ['there is no upstream', { a: { branches } }],
    ['there are no branches', { a: { upstream_url: 'https://a.example' } }],
    ['a key is misspelt', { a: { upstream_url: 'https://a.example', branches, trusted_key: [] } }],
    ['a key is no usign key', { a: { upstream_url: 'https://a.example', branches, trusted_keys: ['x'] } }],
    ['a host has a scheme', { a: { upstream_url: 'https://a.example', branches, repository_hosts: ['https://a.example'] } }],
    ['a URL has a password', { a: { upstream_url: 'https://me:secret@a.example', branches } }],
    ['a prefix is no file name', { a: { upstream_url: 'https://a.example', branches, imagebuilder_prefix: '../' } }],
    ['a name has a slash', { 'a/b': { upstream_url: 'https://a.example', branches } }],
  ])('is refused when %s', (_, distros) => {
    expect(() => read(distros)).toThrow('DISTROS=');
  });
});
