import { describe, expect, it } from 'vitest';
import {
  type ImageCommand,
  imageJobsArgument,
  isPackageArgument,
  makeImageCommand,
  makeInfoCommand,
  makeManifestCommand,
  UnsafeArgumentError,
} from './commands.ts';

const command: ImageCommand = {
  profile: '8dev_carambola2',
  packages: ['-ppp', 'libstdc++', 'luci', 'kmod-ppp_x.y'],
  extraImageName: '6dc3bc1a7b9e',
  binDir: '/builder/bin',
};

describe('the command lines', () => {
  it('name every variable, in the reference server’s order', () => {
    expect(makeInfoCommand()).toEqual(['make', 'info']);
    expect(makeManifestCommand(command)).toEqual([
      'make',
      'manifest',
      'PROFILE=8dev_carambola2',
      'PACKAGES=-ppp libstdc++ luci kmod-ppp_x.y',
      'STRIP_ABI=1',
    ]);
    expect(makeImageCommand(command)).toEqual([
      'make',
      'image',
      'PROFILE=8dev_carambola2',
      'PACKAGES=-ppp libstdc++ luci kmod-ppp_x.y',
      'EXTRA_IMAGE_NAME=6dc3bc1a7b9e',
      'BIN_DIR=/builder/bin',
    ]);
    expect(makeImageCommand({ ...command, files: '/builder/asu-files', rootfsSizeMb: 256, filesystem: 'squashfs' }).slice(6)).toEqual([
      'FILES=/builder/asu-files',
      'ROOTFS_PARTSIZE=256',
      'ROOTFS_FILESYSTEM=squashfs',
    ]);
  });
});

/** Texts that make expands or hands to sh (docs/imagebuilder.md §2), and texts that end a word or a line. */
const INJECTIONS = [
  '$(shell touch /tmp/pwned)',
  '`touch /tmp/pwned`',
  '";touch /tmp/pwned;"',
  "';touch /tmp/pwned;'",
  'a;touch /tmp/pwned',
  '$(PATH)',
  '$'.concat('{PATH}'),
  '$@',
  'a b',
  'a\nb',
  'a\n',
  '\na',
  'a\0',
  'a=b',
  'a#b',
  'a%b',
  'a:b',
  'a~1',
  '(a)',
  'a\\b',
  'a|b',
  'a&b',
  'a>b',
  'a*',
  'ü',
  '',
];

it('takes a package off the list that upstream marks with a tilde', () => {
  expect(makeManifestCommand({ ...command, packages: ['-~boot-blob', 'luci'] })).toContain('PACKAGES=-~boot-blob luci');
  expect(isPackageArgument('-~boot-blob')).toBe(true);
  expect(isPackageArgument('-~boot;blob')).toBe(false);
});

it.each(['profile', 'extraImageName', 'binDir', 'files'])('takes no tilde in %s', (field) => {
  for (const text of ['~a', '/~a', '-~a']) expect(() => makeImageCommand({ ...command, [field]: text })).toThrow(UnsafeArgumentError);
});

describe('no command line is made of', () => {
  it.each(INJECTIONS)('%j', (text) => {
    const attempts: (() => unknown)[] = [
      () => makeManifestCommand({ ...command, profile: text }),
      () => makeImageCommand({ ...command, profile: text }),
      () => makeManifestCommand({ ...command, packages: ['luci', text] }),
      () => makeImageCommand({ ...command, packages: [text] }),
      () => makeImageCommand({ ...command, packages: [`-${text}`] }),
      () => makeImageCommand({ ...command, extraImageName: text }),
      () => makeImageCommand({ ...command, binDir: text }),
      () => makeImageCommand({ ...command, files: text }),
    ];
    for (const attempt of attempts) expect(attempt).toThrow(UnsafeArgumentError);
    const below = `/builder/${text}`;
    if (text !== '' && !text.includes('~')) expect(() => makeImageCommand({ ...command, binDir: below })).toThrow(UnsafeArgumentError);
  });

  it.each(['+luci', '--luci', '-', '+', '.luci', '-+luci', '~a', '~', '-~', '-~~a', '-~/a', '-~+', '~-a', '-a~', '-~a b', '-~a\n'])(
    'package %j',
    (name) => {
      expect(() => makeManifestCommand({ ...command, packages: [name] })).toThrow(UnsafeArgumentError);
    },
  );

  it.each(['builder', '/', '/a/../b', '/a/..', '/./a', '/a/', '//a', '/a b'])('path %j', (path) => {
    expect(() => makeImageCommand({ ...command, binDir: path })).toThrow(UnsafeArgumentError);
  });

  it('values of another type than they should have', () => {
    const wrong = (part: object) => () => makeImageCommand({ ...command, ...part } as ImageCommand);
    for (const part of [
      { rootfsSizeMb: 0 },
      { rootfsSizeMb: 1.5 },
      { rootfsSizeMb: Number.NaN },
      { rootfsSizeMb: '256' },
      { rootfsSizeMb: ['256; touch /tmp/pwned'] },
      { filesystem: 'bogusfs' },
      { filesystem: 'squashfs ' },
      { packages: [['luci']] },
      { packages: [{ toString: () => 'luci' }] },
      { profile: ['generic'] },
    ])
      expect(wrong(part)).toThrow(UnsafeArgumentError);
  });

  it.each([0, 1.5, -1, 65, Number.NaN, '4', '4 $(shell id)', ['4']])('a number of jobs %j', (jobs) => {
    expect(() => imageJobsArgument(jobs as number)).toThrow(/^Unsafe value of NO_TRACE_MAKE refused$/);
  });

  it('the error names the variable, not its value', () => {
    expect(() => makeManifestCommand({ ...command, profile: '$(shell id)' })).toThrow(/^Unsafe value of PROFILE refused$/);
  });
});

it('the argument for several jobs consists of fixed words and a number', () => {
  expect(imageJobsArgument(4)).toBe('NO_TRACE_MAKE=make -j4 --output-sync=target V=s');
});
