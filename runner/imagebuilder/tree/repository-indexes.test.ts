import { describe, expect, it } from 'vitest';
import { type Repositories, repositoryIndexes, unservedRepositories } from './repository-indexes.ts';

const read = (packageManager: Repositories['packageManager'], ...lines: string[]) => {
  const repositories = { text: `${lines.join('\n')}\n`, packageManager, upstreamUrl: 'https://downloads.example' };
  return { indexes: repositoryIndexes(repositories), unserved: unservedRepositories(repositories) };
};

describe('a repository file of opkg', () => {
  it.each([
    'src/gz base https://downloads.example/base',
    '  src/gz  base\thttps://downloads.example/base/ \r',
    '\tsrc/gz\tbase   https://downloads.example/base',
    'src/gz "base" "https://downloads.example/base"',
  ])('has an index in %j', (line) => {
    const base = 'https://downloads.example/base/';
    expect(read('opkg', line)).toEqual({
      indexes: [
        {
          source: 'base/Packages.gz',
          url: `${base}Packages.gz`,
          signatureUrl: `${base}Packages.sig`,
          base,
          file: 'base',
          format: 'packed',
        },
      ],
      unserved: [],
    });
  });

  it.each([
    'src/gz ../../secret http://client.example/feed',
    'src/gz .. http://client.example/feed',
    'src/gz base ftp://client.example/feed',
    'src/gz base http://client.example/feed component',
    'src/gz "base http://client.example/feed',
    'source base http://client.example/feed',
  ])('names %j, which the courier does not serve', (line) => {
    expect(read('opkg', `  ${line} `)).toEqual({ indexes: [], unserved: [line] });
  });

  it('names no repository by a comment, an option or the packages of the ImageBuilder', () => {
    const lines = ['# http://client.example', 'option http_proxy http://proxy.example', 'src imagebuilder file:packages', ''];
    expect(read('opkg', ...lines)).toEqual({ indexes: [], unserved: [] });
  });
});

describe('a repository file of apk', () => {
  it.each([
    'https://downloads.example/base/packages.adb',
    '@mine https://downloads.example/base/packages.adb',
    '\t@mine \thttps://downloads.example/base/packages.adb \r',
  ])('has an index in %j', (line) => {
    const { indexes, unserved } = read('apk', line);
    expect(unserved).toEqual([]);
    expect(indexes).toMatchObject([{ source: 'base/packages.adb', base: 'https://downloads.example/base/', format: 'adb' }]);
  });

  it.each([
    'http://client.example/v3.20/main',
    '@mine http://client.example/v3.20/main',
    'v3 http://client.example/packages.adb',
    'ftp://client.example/packages.adb',
  ])('names %j, which the courier does not serve', (line) => {
    expect(read('apk', '# http://client.example', 'packages/packages.adb', line)).toEqual({ indexes: [], unserved: [line] });
  });
});
