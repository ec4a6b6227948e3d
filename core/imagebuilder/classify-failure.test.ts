import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { classifyFailure } from './classify-failure.ts';
import type { FailedFetch } from './download-troubles.ts';

interface RecordedFailure {
  readonly case: string;
  readonly manager: 'opkg' | 'apk';
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The reference server's answer. */
  readonly reference?: string;
}

/** The output of real ImageBuilders (24.10.2 with opkg, 25.12.0 with apk). */
const recorded: RecordedFailure[] = JSON.parse(readFileSync(new URL('./fixtures/failures.json', import.meta.url), 'utf8'));

describe('of what real ImageBuilders printed', () => {
  it.each(recorded.map((failure) => [failure.manager, failure.case, failure] as const))('%s: %s', (_manager, _case, failure) => {
    expect(classifyFailure(failure)).toMatchSnapshot();
  });

  it('no package name carries a version', () => {
    for (const failure of recorded) {
      const { errors = [] } = classifyFailure(failure);
      for (const error of errors) if ('packages' in error) for (const name of error.packages) expect(name).not.toMatch(/-r\d+$/);
    }
  });

  it('begins as the reference server does, and leaves out no package that it names', () => {
    const withReference = recorded.filter(({ reference }) => reference?.startsWith('Impossible') || reference?.startsWith('Selected'));
    expect(withReference.length).toBeGreaterThan(9);
    for (const failure of withReference) {
      const { detail } = classifyFailure(failure);
      const [, start = '', names = ''] = /^([A-Za-z ]+)(.*)$/.exec(failure.reference?.replaceAll('-1.0-r1', '') ?? '') ?? [];
      expect(detail.startsWith(start)).toBe(true);
      for (const name of names.match(/[a-z][a-z0-9-]*/g) ?? []) expect(detail).toContain(name);
    }
  });
});

describe('classifyFailure', () => {
  const failed = (stderr: string, exitCode: number | null = 2, stdout = '') => classifyFailure({ exitCode, stdout, stderr });

  it.each([
    ['make[2]: write error: No space left on device', /disk space/],
    ['cp: error writing x: Disk quota exceeded', /disk space/],
    ['Error: verify: Only have 12kb available on filesystem /, pkg x needs 40', /disk space/],
    ['tar: memory: Cannot allocate memory', /memory/],
    ['sh: fork: retry: Resource temporarily unavailable', /processes/],
    ['Prerequisite check failed. Use FORCE=1 to override.', /lacks something/],
    ['make[1]: *** [Makefile:196: _call_image] Killed', /killed/],
    ['make[3]: *** [x.mk:1: y] Error 137', /killed/],
    ['bash: line 1: 123 Killed                  mksquashfs4', /killed/],
  ])('blames the machine for %j, whatever else went wrong', (line, meaning) => {
    const clash = ' * opkg_install_cmd: Cannot install package nosuchpkg.\nx is too big: 2 > 1\n';
    const result = failed(`${clash}${line}\n`);
    expect(result.kind).toBe('infrastructure');
    expect(result.detail).toMatch(meaning);
    expect(result.errors).toBeUndefined();
  });

  it.each([[null], [137], [143]])('takes exit code %j for killed', (exitCode) => {
    expect(failed('', exitCode)).toMatchObject({ kind: 'infrastructure', detail: expect.stringContaining('killed') });
  });

  it('blames a feed before it calls a package missing, but not for conflicts', () => {
    const feed = '*** Failed to download the package list from https://a.example/Packages.gz\n';
    expect(failed(`${feed} * opkg_install_cmd: Cannot install package a.\n`)).toEqual({
      kind: 'infrastructure',
      detail: 'Could not download https://a.example/Packages.gz',
    });
    const conflict =
      ' * check_conflicts_for: The following packages conflict with a:\n * check_conflicts_for: \tb * \n * opkg_install_cmd: Cannot install package a.\n';
    expect(failed(`${feed}${conflict}`)).toMatchObject({ kind: 'deterministic', errors: [{ code: 'package_conflict' }] });
    expect(failed(`${feed}    WARNING: Image file a is too big: 2 > 1\n`)).toMatchObject({ kind: 'deterministic' });
  });

  it('takes the warnings of every apk build for what they are', () => {
    const noise = 'WARNING: opening /builder/packages/packages.adb: No such file or directory\n';
    const missing = 'ERROR: unable to select packages:\n  a (no such package):\n    required by: world[a]\n';
    expect(failed(noise + missing)).toMatchObject({ kind: 'deterministic', detail: 'Impossible package selection: missing (a)' });
  });

  it.each([
    'ERROR: tmux-3.5-r1: network error (check Internet connection and firewall)\n',
    'WARNING: fetching https://a.example/packages.adb: temporary error (try again later)\n',
    ' * opkg_install_pkg: Checksum or size mismatch for package curl. Either the opkg or the package index are corrupt.\n',
    'Signature check failed.\n',
  ])('blames the download for %j', (stderr) => {
    expect(failed(stderr)).toMatchObject({ kind: 'infrastructure', detail: expect.stringMatching(/^Could not (?:download|verify)/) });
  });

  it.each([
    [
      'opkg, unsigned',
      'http://c.example/opkg',
      [
        'Collected errors:',
        ' * opkg_download: Failed to download http://c.example/opkg/Packages.sig, wget returned 8.',
        'Downloading http://c.example/opkg/Packages.gz',
        'Downloading http://c.example/opkg/Packages.sig',
        'Signature file download failed.',
        'Remove wrong Signature file.',
        'Collected errors:',
        ' * opkg_install_cmd: Cannot install package wanted.',
      ],
    ],
    [
      'opkg, signed by somebody else',
      'http://c.example/opkg/',
      [
        'Downloading http://c.example/opkg/Packages.sig',
        'Signature check failed.',
        'Remove wrong Signature file.',
        'Downloading http://feed.example/base/Packages.sig',
        'Signature check passed.',
        ' * opkg_install_cmd: Cannot install package wanted.',
      ],
    ],
    [
      'apk',
      'http://c.example/apk/packages.adb',
      [
        'WARNING: updating and opening http://c.example/apk/packages.adb: UNTRUSTED signature',
        'WARNING: opening from cache http://c.example/apk/packages.adb: No such file or directory',
        'ERROR: unable to select packages:',
        '  wanted (no such package):',
        '    required by: world[wanted]',
      ],
    ],
  ])('%s: a repository that cannot be trusted is its owner’s fault when the owner asks', (_, url, lines) => {
    const run = { exitCode: 2, stdout: '', stderr: `${lines.join('\n')}\n` };
    const own = classifyFailure(run, { mine: url });
    expect(own.kind).toBe('deterministic');
    expect(own.detail).toBe(
      `Impossible package selection: missing (wanted); repository mine (${url}) was left out: its index is not signed by a key in repository_keys`,
    );
    expect(own.errors).toMatchObject([{ code: 'package_missing' }, { code: 'repository_untrusted', repository: 'mine', url }]);

    const others = classifyFailure(run, { mine: 'http://c.example/other' });
    expect(others).toEqual({
      kind: 'infrastructure',
      detail: expect.stringMatching(/^Could not (?:download|verify) http:\/\/c\.example\//),
      errors: [{ code: 'signature_invalid', url: expect.stringMatching(/^http:\/\/c\.example\//), message: others.detail }],
    });
  });

  it('does not blame the owner of a repository that cannot be reached, nor for feeds that cannot', () => {
    const missing = ' * opkg_install_cmd: Cannot install package wanted.\n';
    const own = { mine: 'http://c.example/opkg' };
    const down = ' * opkg_download: Failed to download http://c.example/opkg/Packages.gz, wget returned 4.\n';
    const unsigned = 'Downloading http://c.example/opkg/Packages.sig\nSignature check failed.\n';
    const feed = '*** Failed to download the package list from http://feed.example/base/Packages.gz\n';
    expect(classifyFailure({ exitCode: 2, stdout: '', stderr: down + missing }, own).kind).toBe('infrastructure');
    expect(classifyFailure({ exitCode: 2, stdout: '', stderr: unsigned + feed + missing }, own)).toEqual({
      kind: 'infrastructure',
      detail: 'Could not download http://feed.example/base/Packages.gz',
    });
  });

  describe('of what the server fetched for the build', () => {
    const opkg = 'http://c.example/opkg/Packages.gz';
    const apk = 'http://c.example/apk/packages.adb';
    const fetched = (failed: Record<string, FailedFetch>, delivered: string[] = []) => ({
      delivered: new Set(delivered),
      failed: new Map(Object.entries(failed)),
      listed: new Set<string>(),
    });
    const absent = { message: 'HTTP 404', kind: 'absent' } as const;
    const run = (...lines: string[]) => ({ exitCode: 2, stdout: '', stderr: `${lines.join('\n')}\n` });
    const wanted = ' * opkg_install_cmd: Cannot install package wanted.';

    it.each([
      ['opkg', [wanted]],
      ['apk', ['ERROR: unable to select packages:', '  wanted (no such package):', '    required by: world[wanted]']],
    ])('blames no request for a package that an index of the build lists: %s', (_, lines) => {
      expect(classifyFailure(run(...lines)).kind).toBe('deterministic');
      expect(classifyFailure(run(...lines), {}, { ...fetched({}), listed: new Set(['other']) }).kind).toBe('deterministic');
      expect(classifyFailure(run(...lines), {}, { ...fetched({}), listed: new Set(['wanted']) })).toEqual({
        kind: 'infrastructure',
        detail: 'Build failed: ImageBuilder has lost a package index, and misses wanted',
      });
    });

    it('blames no request for a package that is missing because the shell could not write', () => {
      const line = '/builder/scripts/update.sh: 71: printf: printf: I/O error';
      expect(classifyFailure(run(line, wanted))).toEqual({
        kind: 'infrastructure',
        detail: `Build failed: the build machine failed to read or write a file (${line})`,
      });
    });

    it.each([
      ['opkg', opkg, 'http://c.example/opkg', [` * opkg_download: Failed to download ${opkg}, wget returned 8.`, wanted]],
      ['opkg, in other words', opkg, 'http://c.example/opkg/', [`*** Failed to download the package list from ${opkg}`, wanted]],
      [
        'apk',
        apk,
        apk,
        [
          'ERROR: wget: exited with error 8',
          `WARNING: updating and opening ${apk}: unexpected end of file`,
          'ERROR: unable to select packages:',
          '  wanted (no such package):',
          '    required by: world[wanted]',
        ],
      ],
    ])('%s: a repository of the client that does not exist is the client’s fault', (_, index, url, lines) => {
      const failure = classifyFailure(run(...lines), { mine: url }, fetched({ [index]: absent }));
      expect(failure).toEqual({
        kind: 'deterministic',
        detail: `Impossible package selection: missing (wanted); repository mine (${url}) was left out: its server has no package index there (HTTP 404)`,
        errors: [
          expect.objectContaining({ code: 'package_missing' }),
          expect.objectContaining({ code: 'repository_not_found', repository: 'mine', url }),
        ],
      });
    });

    it('a repository of OpenWrt that does not exist is not the client’s fault, and neither is one that is only down', () => {
      const lines = [`*** Failed to download the package list from ${opkg}`, wanted];
      expect(classifyFailure(run(...lines), {}, fetched({ [opkg]: absent })).kind).toBe('infrastructure');
      for (const message of ['HTTP 503', 'HTTP 403', 'nothing received for 30000 ms'])
        expect(classifyFailure(run(...lines), { mine: 'http://c.example/opkg' }, fetched({ [opkg]: { message } })).kind).toBe(
          'infrastructure',
        );
      const gone = 'http://c.example/opkg/wanted_1.0-r1_all.ipk';
      const file = [` * opkg_download: Failed to download ${gone}, wget returned 8.`, wanted];
      expect(classifyFailure(run(...file), { mine: 'http://c.example/opkg' }, fetched({ [gone]: absent })).kind).toBe('infrastructure');
      const official = 'https://downloads.openwrt.org/releases/24.10.2/packages/x86_64/base';
      const line = `*** Failed to download the package list from ${official}/Packages.gz`;
      expect(classifyFailure(run(line, wanted), { mine: official }, fetched({ [`${official}/Packages.gz`]: absent })).kind).toBe(
        'infrastructure',
      );
    });

    it('an index that apk was given whole and refuses is called so, not a broken download', () => {
      const line = `WARNING: updating and opening ${apk}: unexpected end of file`;
      const detail = `Could not verify ${apk}: apk got the whole index and refused it, so its signature is wrong or it is damaged`;
      expect(classifyFailure(run(line), {}, fetched({}, [apk]))).toEqual({
        kind: 'infrastructure',
        detail,
        errors: [{ code: 'signature_invalid', url: apk, message: detail }],
      });
      expect(classifyFailure(run(line)).errors).toBeUndefined();
    });

    it('a package that is not what its index says has a code', () => {
      const file = 'http://feed.example/base/tmux_3.5-r1_x86_64.ipk';
      const line = ` * opkg_download: Failed to download ${file}, wget returned 4.`;
      const failed = fetched({ [file]: { message: 'it is not what the package index says', kind: 'checksum' } });
      const detail = `Could not download ${file}: it is not what the package index says`;
      expect(classifyFailure(run(line, wanted), {}, failed)).toEqual({
        kind: 'infrastructure',
        detail,
        errors: [{ code: 'checksum_mismatch', url: file, message: detail }],
      });
      const opkgs = ' * opkg_install_pkg: Checksum or size mismatch for package curl. Either the opkg or the package index are corrupt.';
      expect(classifyFailure(run(opkgs)).errors).toMatchObject([{ code: 'checksum_mismatch', packages: ['curl'] }]);
      expect(classifyFailure(run('ERROR: curl-8.10.1-r1: v2 package integrity error')).errors).toMatchObject([
        { code: 'checksum_mismatch', packages: ['curl'] },
      ]);
    });
  });

  it('says that repositories of the client replaced the usual ones, where a package is missing then', () => {
    const missing = { exitCode: 2, stdout: '', stderr: ' * opkg_install_cmd: Cannot install package base-files.\n' };
    const own = { mine: 'http://c.example/opkg' };
    const hint = 'repositories_mode is replace, so the feeds of the ImageBuilder itself were not used; append keeps them';
    const replaced = classifyFailure(missing, own, undefined, 'replace');
    expect(replaced.detail).toBe(`Impossible package selection: missing (base-files); ${hint}`);
    expect(replaced.errors).toMatchObject([{ code: 'package_missing' }, { code: 'repositories_replaced', message: hint }]);
    expect(classifyFailure(missing, own, undefined, 'append').detail).not.toContain('repositories_mode');
    expect(classifyFailure(missing, {}, undefined, 'replace').detail).not.toContain('repositories_mode');
  });

  it('fails for good when files of a package could not be written, although make ended well', () => {
    const root = '/builder/build_dir/target-x86_64_musl/root-x86';
    const stderr = [
      'Collected errors:',
      ` * wfopen: ${root}/usr/share/a: No such file or directory.`,
      ` * wfopen: ${root}/usr/share/b: No such file or directory.`,
    ].join('\n');
    for (const exitCode of [0, 2]) {
      expect(classifyFailure({ exitCode, stdout: '', stderr })).toEqual({
        kind: 'deterministic',
        detail:
          'Impossible package selection: /usr/share/a and 1 more are missing in the image: the package that brings them has no directory for them',
        errors: [{ code: 'files_missing', files: ['/usr/share/a', '/usr/share/b'], message: expect.any(String) }],
      });
    }
    const others = ` * wfopen: ${root}/usr/lib/opkg/lists/x: No such file or directory.\n * wfopen: /etc/x: No such file or directory.\n`;
    expect(failed(others)).toMatchObject({ kind: 'infrastructure', detail: 'Error while building firmware. See stdout/stderr' });
  });

  describe('a failure that follows from a package that could not be downloaded', () => {
    const root = '/builder/build_dir/target-x86_64_musl/root-x86';
    const file = 'http://feed.example/base/foo-common_1-r1_all.ipk';
    const download = ` * opkg_download: Failed to download ${file}, wget returned 4.\n`;
    const fetched = { delivered: new Set<string>(), listed: new Set<string>(), failed: new Map([[file, { message: 'HTTP 503' }]]) };
    const consequences: [string, string][] = [
      ['a file that cannot be written', ` * wfopen: ${root}/usr/share/a: No such file or directory.\n`],
      ['a script of opkg', ' * pkg_run_script: package "foo" postinst script returned status 1.\n'],
      ['a script of ImageBuilder', 'postinst script ./usr/lib/opkg/info/foo.postinst has failed with exit code 1\n'],
    ];

    it.each(consequences)('is not the request’s fault: %s', (_, line) => {
      const run = { exitCode: 2, stdout: '', stderr: download + line };
      expect(classifyFailure(run, {}, fetched)).toEqual({ kind: 'infrastructure', detail: `Could not download ${file}: HTTP 503` });
    });

    it.each(consequences)('is the request’s fault where only a repository of the client is at fault: %s', (_, line) => {
      const unsigned = 'Downloading http://c.example/opkg/Packages.sig\nSignature check failed.\n';
      const run = { exitCode: 2, stdout: '', stderr: unsigned + line };
      expect(classifyFailure(run, { mine: 'http://c.example/opkg' }).kind).toBe('deterministic');
    });
  });

  it('does not take the failed script of a package of apk for a download', () => {
    const script = 'postinst script ./lib/apk/db/foo-1-r1.X0a1b.post-install has failed with exit code 1\n';
    expect(failed(`ERROR: foo-1-r1.post-install: script exited with error 1\n${script}`)).toMatchObject({
      kind: 'deterministic',
      errors: [{ code: 'script_failed', packages: ['foo'] }],
    });
  });

  it('counts no errors of apk and no lines of Makefiles', () => {
    const missing = 'ERROR: unable to select packages:\n  a (no such package):\n    required by: world[a]\n';
    for (const count of [1, 99, 137, 143])
      expect(failed(`${missing}make[2]: *** [Makefile:${count}: package_install] Error ${count}\n`).kind).toBe('deterministic');
  });

  it('does not take "Collected errors:", which successful builds print too, for any', () => {
    const text =
      'Collected errors:\n * opkg_conf_parse_file: Duplicate src declaration (openwrt_core http://a.example). Skipping.\nmake: *** [Makefile:1: image] Error 2\n';
    expect(failed(text)).toEqual({ kind: 'infrastructure', detail: 'Error while building firmware. See stdout/stderr' });
  });

  it('knows the umask that ImageBuilder refuses, on standard output', () => {
    const stdout =
      'Build dependency: Please build with umask 022 - other values produce broken packages\n\nPrerequisite check failed. Use FORCE=1 to override.\n';
    expect(failed('make: *** [Makefile:331: image] Error 2\n', 2, stdout)).toMatchObject({
      kind: 'infrastructure',
      detail: expect.stringContaining('lacks something'),
    });
  });

  it('does not remember what it does not understand', () => {
    expect(failed('gremlins\n')).toEqual({ kind: 'infrastructure', detail: 'Error while building firmware. See stdout/stderr' });
  });

  describe('of a run that succeeds and leaves no image', () => {
    const none = { kind: 'deterministic', errors: [{ code: 'no_images', message: expect.stringContaining('made no image') }] };

    it('is not tried again: the same run would leave none again', () => {
      expect(failed('', 0)).toMatchObject(none);
      expect(failed("cp: cannot stat 'x-sysupgrade.bin': No such file or directory\n", 0)).toMatchObject(none);
      expect(failed('Signature check failed.\n', 0)).toMatchObject(none);
    });

    it('is not taken for the machine’s fault when another cause is known, since scripts meet such errors in the sandbox', () => {
      const noise = 'sh: cannot create /proc/sys/x: Read-only file system\n';
      expect(failed(`${noise}    WARNING: Image file a is too big: 2 > 1\n`, 0).kind).toBe('deterministic');
    });

    it('is tried again where the machine lacked something, or images are there and only their list is not', () => {
      for (const line of [
        'cp: write error: No space left on device',
        'cp: error reading x: Input/output error',
        'mkdir: x: Read-only file system',
        'bash: line 1: 123 Killed                  mksquashfs4',
      ])
        expect(failed(`${line}\n`, 0).kind).toBe('infrastructure');
      expect(classifyFailure({ exitCode: 0, stdout: '', stderr: '', hasImages: true })).toEqual({
        kind: 'infrastructure',
        detail: 'No JSON file found',
      });
    });
  });

  it('finds the reason in any amount of noise', () => {
    const reason = 'ERROR: unable to select packages:\n  a (no such package):\n    required by: world[a]\n';
    for (const filler of ['\t\n', `${'-1'.repeat(2 ** 20)}\n`, ` * check_conflicts_for: ${' '.repeat(2 ** 20)}x\n`, 'ERROR: a-1: \n'])
      expect(failed(filler.repeat(Math.ceil(2 ** 22 / filler.length)) + reason).detail).toBe('Impossible package selection: missing (a)');
  });
});
