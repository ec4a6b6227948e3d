import { describe, expect, it } from 'vitest';
import { analysePackageErrors } from './package-errors.ts';

const lines = (...text: string[]) => `${text.join('\n')}\n`;

describe('analysePackageErrors', () => {
  it('finds nothing in other text', () => {
    expect(analysePackageErrors('')).toBeUndefined();
    expect(analysePackageErrors('Signature check passed.\nmake: *** [Makefile:331: image] Error 2\n')).toBeUndefined();
    expect(analysePackageErrors(' * opkg_conf_parse_file: Duplicate src declaration (a b). Skipping.\n')).toBeUndefined();
  });

  it('reads all forms that the reference server knows, in one text', () => {
    const text = lines(
      'Collected errors:',
      ' * opkg_install_cmd: Cannot install package OPKG-MISSING.',
      ' * check_conflicts_for: The following packages conflict with OPKG-CONFLICT-1:',
      ' * check_conflicts_for: \tOPKG-CONFLICT-2 * ',
      ' * opkg_install_cmd: Cannot install package OPKG-CONFLICT-1.',
      ' * check_data_file_clashes: Package OPKG-CONFLICT-3 wants to install file /some/file',
      '\tBut that file is already provided by package  * OPKG-CONFLICT-4',
      ' * opkg_install_cmd: Cannot install package OPKG-CONFLICT-4.',
      'ERROR: unable to select packages:',
      '  APK-MISSING (no such package):',
      '    required by: world[APK-MISSING]',
      'ERROR: unable to select packages:',
      '  APK-CONFLICT-1:',
      '    conflicts: APK-CONFLICT-2[nftables=1.1.6-r1]',
      '    satisfies: world[nftables-json]',
      '               blah[nftables]',
      '  APK-CONFLICT-2:',
      '    conflicts: APK-CONFLICT-1[nftables=1.1.6-r1]',
      '    satisfies: world[nftables-nojson]',
      'ERROR: APK-CONFLICT-3: trying to overwrite somefile owned by APK-CONFLICT-4.',
    );
    const analysis = analysePackageErrors(text);
    expect(analysis?.detail).toMatch(
      /^Impossible package selection: missing \(APK-MISSING, OPKG-MISSING\) conflicts \(APK-CONFLICT-1, APK-CONFLICT-2, APK-CONFLICT-3, APK-CONFLICT-4, OPKG-CONFLICT-1, OPKG-CONFLICT-2, OPKG-CONFLICT-3, OPKG-CONFLICT-4\)/,
    );
    expect(analysis?.errors.map(({ code, ...error }) => [code, 'packages' in error && error.packages.join(' ')])).toEqual([
      ['package_missing', 'OPKG-MISSING'],
      ['package_conflict', 'OPKG-CONFLICT-1 OPKG-CONFLICT-2'],
      ['file_clash', 'OPKG-CONFLICT-3 OPKG-CONFLICT-4'],
      ['package_missing', 'APK-MISSING'],
      ['package_conflict', 'APK-CONFLICT-1 APK-CONFLICT-2'],
      ['file_clash', 'APK-CONFLICT-3 APK-CONFLICT-4'],
    ]);
  });

  it('reports only the end of a chain of dependencies as missing', () => {
    const { detail, errors } =
      analysePackageErrors(
        lines(
          ' * pkg_hash_check_unresolved: cannot find dependency nowhere for b',
          ' * pkg_hash_check_unresolved: cannot find dependency b for a',
          ' * opkg_install_cmd: Cannot install package a.',
        ),
      ) ?? {};
    expect(detail).toBe('Impossible package selection: missing (nowhere); a needs b, which needs nowhere, which does not exist');
    expect(errors).toMatchObject([{ code: 'dependency_missing', packages: ['a'], dependency: 'nowhere', needed_by: 'b' }]);
  });

  it('shows the version that a package needs of another', () => {
    const { detail, errors } =
      analysePackageErrors(
        lines(
          ' * pkg_hash_check_unresolved: cannot find dependency kernel (= 6.6.65~8d4a6e2f-r1) for kmod-usb2',
          ' * pkg_hash_check_unresolved: cannot find dependency kmod-usb2 (>= 6) for kmod-usb3',
          ' * pkg_hash_fetch_best_installation_candidate: Packages for kmod-usb3 found, but incompatible with the architectures configured',
          ' * opkg_install_cmd: Cannot install package kmod-usb3.',
        ),
      ) ?? {};
    expect(errors).toEqual([
      {
        code: 'dependency_missing',
        packages: ['kmod-usb3'],
        dependency: 'kernel (= 6.6.65~8d4a6e2f-r1)',
        needed_by: 'kmod-usb2',
        message: 'kmod-usb3 needs kmod-usb2, which needs kernel (= 6.6.65~8d4a6e2f-r1), which does not exist',
      },
    ]);
    expect(detail).toMatch(/^Impossible package selection: missing \(kernel \(= 6\.6\.65~8d4a6e2f-r1\)\); kmod-usb3 needs/);
  });

  it('finds the reason for a package whose dependencies were judged for an earlier one', () => {
    const text = lines(
      ' * pkg_hash_check_unresolved: cannot find dependency kernel (= 5.15.137-1) for kmod-mwlwifi',
      ' * pkg_hash_fetch_best_installation_candidate: Packages for kmod-mwlwifi found, but incompatible with the architectures configured',
      ' * opkg_install_cmd: Cannot install package kmod-mwlwifi.',
      ' * satisfy_dependencies_for: Cannot satisfy the following dependencies for mwlwifi-firmware-88w8964:',
      ' * \tkernel (= 5.15.137-1)',
      ' * \tkmod-crypto-hash (<= 5.15.137-0)',
      ' * opkg_install_cmd: Cannot install package mwlwifi-firmware-88w8964.',
    );
    expect(analysePackageErrors(text)?.errors).toMatchObject([
      { code: 'dependency_missing', packages: ['kmod-mwlwifi'], dependency: 'kernel (= 5.15.137-1)' },
      { code: 'dependency_missing', packages: ['mwlwifi-firmware-88w8964'], dependency: 'kernel (= 5.15.137-1)' },
      { code: 'dependency_missing', packages: ['mwlwifi-firmware-88w8964'], dependency: 'kmod-crypto-hash (<= 5.15.137-0)' },
    ]);
  });

  it('tells a package for another architecture from one that does not exist', () => {
    const text = lines(
      ' * pkg_hash_fetch_best_installation_candidate: Packages for a found, but incompatible with the architectures configured',
      ' * opkg_install_cmd: Cannot install package a.',
      ' * opkg_install_cmd: Cannot install package b.',
    );
    expect(analysePackageErrors(text)?.errors).toMatchObject([
      { code: 'package_uninstallable', packages: ['a'], message: 'a is made for another architecture than the device has' },
      { code: 'package_missing', packages: ['b'] },
    ]);
  });

  it('names every file that two packages contain, once per pair', () => {
    const clash = (file: string) => [
      ` * check_data_file_clashes: Package b wants to install file /x/build_dir/target-mips_24kc_musl/root-ath79/${file}`,
      '\tBut that file is already provided by package  * a',
    ];
    const analysis = analysePackageErrors(
      lines(...clash('etc/one'), ...clash('etc/two'), ' * opkg_install_cmd: Cannot install package b.'),
    );
    expect(analysis?.errors).toEqual([
      {
        code: 'file_clash',
        packages: ['a', 'b'],
        files: ['/etc/one', '/etc/two'],
        message: expect.stringContaining('/etc/one and 1 more'),
      },
    ]);
  });

  it('does not report a package as missing that could not be fetched', () => {
    const text = lines(
      " * opkg_install_pkg: Failed to download tmux. Perhaps you need to run 'opkg update'?",
      ' * opkg_install_cmd: Cannot install package tmux.',
    );
    expect(analysePackageErrors(text)).toBeUndefined();
  });

  it('finds apk names in names with versions', () => {
    const text = lines(
      'ERROR: unable to select packages:',
      '  libevent2-7-2.1.12-r2:',
      '    breaks: base-files-1722~f919e7899d[!libevent2-7]',
      '            attendedsysupgrade-common-9[!libevent2-7]',
      '    satisfies: world[libevent2-7]',
    );
    expect(analysePackageErrors(text)?.errors).toMatchObject([
      { code: 'package_conflict', packages: ['base-files', 'libevent2-7'] },
      { code: 'package_conflict', packages: ['attendedsysupgrade-common', 'libevent2-7'] },
    ]);
  });

  it('explains an unavailable version, broken dependencies and names that several packages provide', () => {
    const text = lines(
      'ERROR: unable to select packages:',
      '  kernel-6.18.44~abc-r1:',
      '    breaks: world[kernel=6.18.43~def-r1]',
      '  kmod-foo-6.18.43-r1:',
      '    error: uninstallable',
      '    depends: kernel=6.18.43~def-r1',
      '  wget-any (virtual):',
      "    note: please select one of the 'provided by' packages explicitly",
      '    provided by: wget-ssl wget-nossl',
      '                 uclient-fetch',
      '    required by: world[wget-any]',
    );
    const analysis = analysePackageErrors(text);
    expect(analysis?.errors).toMatchObject([
      { code: 'package_conflict', packages: ['kernel'], message: expect.stringContaining('kernel=6.18.43~def-r1') },
      { code: 'dependency_missing', packages: ['kmod-foo'], dependency: 'kernel=6.18.43~def-r1' },
      { code: 'package_missing', packages: ['wget-any'], providers: ['wget-ssl', 'wget-nossl', 'uclient-fetch'] },
    ]);
    expect(analysis?.detail).toContain('choose one of wget-ssl, wget-nossl, uclient-fetch');
  });

  it('names the package that asks for a name with several providers', () => {
    const text = lines(
      'ERROR: unable to select packages:',
      '  wget-any (virtual):',
      "    note: please select one of the 'provided by' packages explicitly",
      '    provided by: wget-ssl wget-nossl',
      '    required by: fetcher-1.0-r1[wget-any]',
    );
    expect(analysePackageErrors(text)?.errors).toEqual([
      {
        code: 'package_missing',
        packages: ['wget-any'],
        providers: ['wget-ssl', 'wget-nossl'],
        needed_by: 'fetcher',
        message: 'fetcher needs wget-any, which is no package: choose one of wget-ssl, wget-nossl',
      },
    ]);
  });

  it('blames the repository for a package that conflicts with itself', () => {
    const text = lines(
      'ERROR: unable to select packages:',
      '  pbr-1.2.0-r4:',
      '    conflicts: pbr-1.2.0-r4[pbr=1.2.0-r4]',
      '    satisfies: world[pbr]',
    );
    expect(analysePackageErrors(text)?.errors).toEqual([
      { code: 'package_conflict', packages: ['pbr'], message: 'pbr excludes itself: its repository describes it wrongly' },
    ]);
  });

  it('blames the repository for a package that brings a file of its own again', () => {
    const text = lines('ERROR: pbr-1.2.0-r5: trying to overwrite usr/bin/pbr owned by pbr-1.2.0-r4.');
    expect(analysePackageErrors(text)?.errors).toEqual([
      {
        code: 'file_clash',
        packages: ['pbr'],
        files: ['/usr/bin/pbr'],
        message: 'pbr brings /usr/bin/pbr more than once: its repository describes it wrongly',
      },
    ]);
  });

  it('blames the request for a package of another architecture', () => {
    const text = lines(
      'ERROR: unable to select packages:',
      '  foreign-1.0-r1:',
      '    error: uninstallable',
      '    arch: mips_24kc',
      '    satisfies: world[foreign]',
      '  odd-1.0-r1:',
      '    error: uninstallable',
      '    satisfies: world[odd]',
    );
    expect(analysePackageErrors(text)).toEqual({
      detail:
        'Impossible package selection: conflicts (foreign, odd); foreign is made for another architecture than the device has: mips_24kc; odd cannot be installed on the device; apk gives no reason',
      errors: [
        { code: 'package_uninstallable', packages: ['foreign'], arch: 'mips_24kc', message: expect.any(String) },
        { code: 'package_uninstallable', packages: ['odd'], message: expect.any(String) },
      ],
    });
  });

  it('explains only some of many problems in the detail', () => {
    const many = Array.from({ length: 500 }, (_, i) => [
      ` * pkg_hash_check_unresolved: cannot find dependency nowhere${i} for a${i}`,
      ` * opkg_install_cmd: Cannot install package a${i}.`,
    ]);
    const analysis = analysePackageErrors(lines(...many.flat()));
    expect(analysis?.errors).toHaveLength(500);
    expect(analysis?.detail.match(/ needs /g)).toHaveLength(5);
  });
});
