import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Branch, Branches, branchOf, DEFAULT_BRANCHES, versionPath } from './branches.ts';
import { compareVersions, isKnownVersion, knownVersions, latestVersions, versionAt } from './versions.ts';

const TEST_BRANCHES: readonly Branch[] = [
  ...DEFAULT_BRANCHES,
  { name: '1.2', path: 'releases/{version}', enabled: true },
  { name: '19.07', path: 'releases/{version}', enabled: true },
];

describe('compareVersions', () => {
  it('puts the newest first, by number', () => {
    const shuffled = [
      '23.05.2',
      '24.10.0-rc2',
      'SNAPSHOT',
      '23.05-SNAPSHOT',
      '24.10.0-rc10',
      '1.2.3',
      '24.10.0',
      '23.05.10',
      '25.12-SNAPSHOT',
      '24.10.1',
      '24.10-SNAPSHOT',
    ];
    expect(shuffled.sort(compareVersions)).toEqual([
      'SNAPSHOT',
      '25.12-SNAPSHOT',
      '24.10.1',
      '24.10.0',
      '24.10.0-rc10',
      '24.10.0-rc2',
      '24.10-SNAPSHOT',
      '23.05.10',
      '23.05.2',
      '23.05-SNAPSHOT',
      '1.2.3',
    ]);
  });

  it('is a total order', () => {
    const version = fc.oneof(
      fc.constantFrom('SNAPSHOT', 'snapshot', 'foo', '', '23.05.1', '23.5.1', '24.10', '24.10-foo'),
      fc
        .tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 12 }))
        .map((parts) => parts.join('.')),
      fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 0, max: 12 })).map(([major, rc]) => `${major}.1.0-rc${rc}`),
      fc.integer({ min: 1, max: 3 }).map((major) => `${major}.1-SNAPSHOT`),
    );
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        expect(Math.sign(compareVersions(a, b)) + Math.sign(compareVersions(b, a))).toBe(0);
        expect(compareVersions(a, b) === 0).toBe(a === b);
        if (compareVersions(a, b) < 0 && compareVersions(b, c) < 0) expect(compareVersions(a, c)).toBeLessThan(0);
      }),
    );
  });
});

describe('branchOf', () => {
  it.each([
    ['SNAPSHOT', 'SNAPSHOT'],
    ['24.10-SNAPSHOT', '24.10'],
    ['24.10.0-rc1', '24.10'],
    ['24.10.2', '24.10'],
    ['24.10', '24.10'],
    ['1.2.3', '1.2'],
    ['10.10.10', undefined],
    ['', undefined],
    ['24.1', undefined],
    ['24.10.2.1', undefined],
    ['snapshot', undefined],
    ['-SNAPSHOT', undefined],
  ])('%s → %s', (version, name) => expect(branchOf(version, TEST_BRANCHES)?.name).toBe(name));

  it('finds branches that are switched off', () => {
    const branches = DEFAULT_BRANCHES.map((branch) => (branch.name === '21.02' ? { ...branch, enabled: false } : branch));
    expect(branchOf('21.02.7', branches)).toMatchObject({ name: '21.02', enabled: false });
  });

  it('fills in the path, whatever the version holds', () => {
    const paths = ['SNAPSHOT', '24.10.2', '24.10-SNAPSHOT'].map((version) => {
      const branch = branchOf(version, DEFAULT_BRANCHES);
      return branch && versionPath(version, branch);
    });
    expect(paths).toEqual(['snapshots', 'releases/24.10.2', 'releases/24.10-SNAPSHOT']);
    expect(versionPath('$&', { name: 'x', path: 'a/{version}', enabled: true })).toBe('a/$&');
  });
});

describe('Branches', () => {
  it('reads the reference server’s map in its order', () => {
    const branches = Branches.parse({
      SNAPSHOT: { path: '/snapshots/', snapshot: true, path_packages: 'DEPRECATED', package_changes: [] },
      '1.2': { path: 'releases/{version}', enabled: false, branch_off_rev: 1, git_branch: 'ignored' },
    });
    expect(branches).toEqual([
      { name: 'SNAPSHOT', path: 'snapshots', enabled: true, snapshot: true, path_packages: 'DEPRECATED', package_changes: [] },
      { name: '1.2', path: 'releases/{version}', enabled: false, branch_off_rev: 1 },
    ]);
  });

  it.each([
    ['..', { path: 'a' }],
    ['a/b', { path: 'a' }],
    ['x', {}],
    ['x', { path: '' }],
    ['x', { path: '../a' }],
    ['x', { path: 'a//b' }],
    ['x', { path: 'a', branch_off_rev: -1 }],
    ['x', { path: 'a', enabled: 'yes' }],
  ])('refuses %s: %j', (name, settings) => expect(Branches.safeParse({ [name]: settings }).success).toBe(false));
});

describe('versions of upstream', () => {
  const recorded = {
    upcoming: '24.10.0-rc6',
    stable: '23.05.5',
    oldstable: '22.03.7',
    list: ['1.2.3', '22.03.7', '23.05.5', '24.10.0-rc6'],
  };

  it('gives the recorded latest.json', () => {
    expect(latestVersions(recorded, TEST_BRANCHES)).toEqual(['24.10.0-rc6', '23.05.5', '22.03.7']);
  });

  it('gives the recorded versions of each branch', () => {
    const known = knownVersions(recorded, TEST_BRANCHES);
    const byBranch = Object.fromEntries(
      TEST_BRANCHES.map(({ name }) => [name, known.filter((version) => branchOf(version, TEST_BRANCHES)?.name === name)]),
    );
    expect(byBranch).toEqual({
      SNAPSHOT: ['SNAPSHOT'],
      '25.12': ['25.12-SNAPSHOT'],
      '24.10': ['24.10.0-rc6', '24.10-SNAPSHOT'],
      '23.05': ['23.05.5', '23.05-SNAPSHOT'],
      '22.03': ['22.03.7', '22.03-SNAPSHOT'],
      '21.02': ['21.02-SNAPSHOT'],
      '1.2': ['1.2.3', '1.2-SNAPSHOT'],
      '19.07': ['19.07-SNAPSHOT'],
    });
  });

  it('leaves out versions that are switched off, unknown, empty or repeated', () => {
    const branches = DEFAULT_BRANCHES.map((branch) => ({ ...branch, enabled: branch.name === '24.10' }));
    const upstream = {
      upcoming: '',
      stable: '24.10.1',
      oldstable: '23.05.5',
      list: ['24.10.1', '24.10.1', '24.10.0', '24.100.1', '23.05.5'],
    };
    expect(knownVersions(upstream, branches)).toEqual(['24.10.1', '24.10.0', '24.10-SNAPSHOT']);
    expect(latestVersions(upstream, branches)).toEqual(['24.10.1']);
    expect(latestVersions({ list: [] }, branches)).toEqual([]);
  });

  it('puts a release above a candidate that upstream forgot to withdraw', () => {
    const upstream = { upcoming: '24.10.0-rc7', stable: '24.10.0', oldstable: '23.05.5', list: [] };
    expect(latestVersions(upstream, DEFAULT_BRANCHES)).toEqual(['24.10.0', '24.10.0-rc7', '23.05.5']);
  });
});

describe('a version and the path of its files', () => {
  const branches: readonly Branch[] = [
    ...TEST_BRANCHES,
    { name: '9.8', path: 'old/{version}/files', enabled: true },
    { name: '9.9', path: 'frozen', enabled: true },
    { name: '7.7', path: 'releases/{version}', enabled: false },
  ];
  const upstream = { upcoming: '25.12.0-rc1', list: ['24.10.0', '23.05.5', '9.8.1', '9.9.2', '9.9.10', '7.7.1', '', '33.33.1'] };
  const asked = [
    ...upstream.list,
    '25.12.0-rc1',
    'SNAPSHOT',
    'SNAPSHOT-SNAPSHOT',
    '24.10-SNAPSHOT',
    '7.7-SNAPSHOT',
    '24.10',
    '24.10.9',
    'x',
  ];

  it.each(asked)('is known exactly when it is among the known versions: %j', (version) => {
    expect(isKnownVersion(version, upstream, branches)).toBe(knownVersions(upstream, branches).includes(version));
  });

  const paths = [
    'snapshots',
    'frozen',
    'old/9.8.1/files',
    'old/9.8.1',
    'old/9.9.2/files',
    'releases/',
    '',
    'releases/24.10.0/x',
    '{version}',
  ];

  it.each([...paths, ...asked.map((version) => `releases/${version}`)])('leads to the newest known version there: %j', (path) => {
    const newest = knownVersions(upstream, branches).find((version) => {
      const branch = branchOf(version, branches);
      return branch !== undefined && versionPath(version, branch) === path;
    });
    expect(versionAt(path, upstream, branches)).toBe(newest);
  });
});
