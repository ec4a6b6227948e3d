import { describe, expect, it } from 'vitest';
import { classifyFailure } from './classify-failure.ts';
import { parseDotConfig } from './dot-config.ts';
import { outputLines } from './failure-analysis.ts';
import { analyseImageErrors } from './image-errors.ts';
import { MakeInfoError, parseMakeInfo } from './make-info.ts';
import { manifestOf, PackageDatabaseError, parseApkInstalled, parseOpkgStatus } from './manifest.ts';
import { repositoryFile } from './repository-file.ts';
import { hostileTexts } from './testing/hostile-texts.ts';

const orError = (read: () => unknown, error: typeof MakeInfoError | typeof PackageDatabaseError): unknown => {
  try {
    return read();
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(error);
    return undefined;
  }
};

/** The parsers that read text which a build or an ImageBuilder leaves; each returns what the server keeps. */
const PARSERS: Readonly<Record<string, (text: string) => unknown>> = {
  'why a build failed': (text) => classifyFailure({ exitCode: 2, stdout: '', stderr: text }, { own: 'http://own/' }),
  'the manifest of opkg': (text) => orError(() => manifestOf(parseOpkgStatus(text)), PackageDatabaseError),
  'the manifest of apk': (text) => orError(() => manifestOf(parseApkInstalled(text)), PackageDatabaseError),
  'what make info says': (text) => orError(() => parseMakeInfo(text), MakeInfoError),
  'the rest of what make info says': (text) =>
    orError(
      () => parseMakeInfo(`Current Target: "a"\nCurrent Revision: "b"\nDefault Packages: c\nAvailable Profiles:\n${text}`),
      MakeInfoError,
    ),
  '.config': parseDotConfig,
};

/**
 * If the work of a parser grows faster than the text, one of these takes hours and the test does not end. What a parser
 * keeps must fit into a document.
 */
describe.each(Object.keys(hostileTexts))('4 MB of %s', (name) => {
  const text = hostileTexts[name] ?? '';

  it.each(Object.keys(PARSERS))('leave little of %s', (parser) => {
    expect(JSON.stringify(PARSERS[parser]?.(text) ?? null).length).toBeLessThan(1024 * 1024);
  });

  it('are read only in part to find the reason of a failure', () => {
    const lines = outputLines(text);
    expect(lines.length).toBeLessThanOrEqual(20_000);
    expect(lines.reduce((sum, line) => sum + line.length, 0)).toBeLessThan(3 * 1024 * 1024);
  });

  it('make a repository file quickly', () => {
    const lines = repositoryFile({ original: text, usesApk: false, repositories: { own: 'http://own' }, mode: 'append' }).split('\n');
    expect(lines.at(-2)).toBe('option check_signature');
  });
});

it('a client’s repository of 200,000 slashes is compared with failed downloads like any other', () => {
  const own = { mine: `http://c.example/${'/'.repeat(200_000)}x`, other: 'http://c.example/opkg//' };
  const stderr =
    'Downloading http://c.example/opkg/Packages.sig\nSignature check failed.\n * opkg_install_cmd: Cannot install package a.\n';
  expect(classifyFailure({ exitCode: 2, stdout: '', stderr }, own).errors).toMatchObject([
    { code: 'package_missing' },
    { code: 'repository_untrusted', repository: 'other' },
  ]);
});

it('a failure names only some of the problems when a build has very many', () => {
  const { detail, errors = [] } = classifyFailure({ exitCode: 2, stdout: '', stderr: hostileTexts['packages given up'] ?? '' });
  expect(errors.length).toBeGreaterThan(100);
  expect(errors[0]).toMatchObject({ code: 'package_missing', packages: ['a'] });
  expect(JSON.stringify(errors).length).toBeLessThan(70_000);
  expect(detail).toBe('Impossible package selection: missing (a)');
});

// An expression that tries every start in such a line against all that follows needs minutes for twenty thousand lines.
it.each([
  ['versions', `ERROR: a${'-1'.repeat(2_000)}\n`],
  ['forks', `${'fork: '.repeat(680)}\n`],
])('lines that almost match a pattern (%s) are read as fast as others', (_, line) => {
  const stderr = line.repeat(20_000);
  expect(classifyFailure({ exitCode: 2, stdout: '', stderr }).detail).toBe('Error while building firmware. See stdout/stderr');
});

it('a partition that is too small is explained by one shared error', () => {
  const { errors = [] } = analyseImageErrors('failed to allocate 1 blocks, out of space?\n'.repeat(1_000)) ?? {};
  expect(errors).toHaveLength(1_000);
  expect(new Set(errors).size).toBe(1);
});
