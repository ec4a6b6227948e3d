/** Half of what a build may print before it is ended (`maxOutputBytes`), and more than is read of it. */
const SIZE = 4 * 1024 * 1024;

const repeated = (text: string): string => text.repeat(Math.floor(SIZE / text.length));

const GIVEN_UP = ' * opkg_install_cmd: Cannot install package a.\n';
const APK_HEAD = 'ERROR: unable to select packages:\n';

/** Texts of 4 MB, each the worst for some way of reading: their reading must take time and memory in proportion. */
export const hostileTexts: Readonly<Record<string, string>> = {
  'line ends': repeated('\n'),
  'carriage returns': repeated('\r'),
  'line ends of DOS': repeated('\r\n'),
  'lines of a blank': repeated('\n '),
  'lines of a tab and blanks': repeated('\n\t \n'),
  'one line of letters': repeated('a'),
  'one line of blanks': repeated(' '),
  'a line end and blanks': `\n${' '.repeat(SIZE - 2)}x`,
  'colours that do not end': repeated('\u001b[0;0;0;'),
  'a colour of megabytes': `\u001b[${repeated('0')}`,
  'lines of a letter': repeated('a\n'),
  'lines of a name and a colon': repeated('a:\n'),
  'versions without end': repeated('-1'),
  'lines of versions': repeated(`a${'-1'.repeat(2_000)}\n`),
  'lines of versions of apk': repeated(`ERROR: a${'-1'.repeat(2_000)}\n`),
  'lines of versions and colons of apk': repeated(`ERROR: a${'-1'.repeat(2_000)}:x: y\n`),
  'lines of forks': repeated(`${'fork: '.repeat(680)}\n`),
  'lines of forks after the reason': repeated(`Resource temporarily unavailable ${'fork: '.repeat(670)}\n`),
  'lines of make': repeated('make[1]: *** x Killed \n'),
  'lines of Error 13': repeated(`make[1]: *** ${'package_install Error 13 '.repeat(150)}\n`),
  'too big': repeated('is too big\n'),
  'too big, with paths': repeated(`    WARNING: Image file ${'/a'.repeat(500)} is too big: 2 > x\n`),
  'too few blocks': repeated('failed to allocate 1 blocks, out of space?\n'),
  'packages given up': repeated(GIVEN_UP),
  'dependencies unresolved': `${repeated(' * pkg_hash_check_unresolved: cannot find dependency a for b\n')}${GIVEN_UP}`,
  'different dependencies unresolved': `${Array.from(
    { length: 100_000 },
    (_, index) => ` * pkg_hash_check_unresolved: cannot find dependency a${index} for b${index}\n`,
  ).join('')}${GIVEN_UP}`,
  'files that clash': `${repeated(
    ' * check_data_file_clashes: Package a wants to install file /b\n\tBut that file is already provided by package  * c\n',
  )}${GIVEN_UP}`,
  'paths that clash': `${repeated(
    ` * check_data_file_clashes: Package a wants to install file ${'/build_dir/target-x/root'.repeat(150)}\n\tBut that file is already provided by package  * c\n`,
  )}${GIVEN_UP}`,
  'conflicts of blanks': repeated(` * check_conflicts_for: ${' '.repeat(3_000)}\n`),
  'entries of apk': `${APK_HEAD}${repeated('  a-1:\n    breaks: b-1[!a] \n')}`,
  'words of apk': `${APK_HEAD}  a:\n    breaks: x\n${repeated('     w w w w w w w w w\n')}`,
  'words of an unknown name': `${APK_HEAD}  a (virtual):\n    provided by: x\n${repeated('     w1 w2 w3 w4\n')}`,
  'files that apk does not overwrite': repeated('ERROR: a-1: trying to overwrite b owned by c.\n'),
  'owners without end': repeated(`ERROR: a-1: trying to overwrite ${' owned by '.repeat(300)}\n`),
  'downloads that fail': repeated(' * opkg_download: Failed to download http://a/Packages.sig, wget returned 8.\n'),
  'downloads of apk that fail': repeated(`WARNING: ${'updating http '.repeat(200)}\n`),
  'scripts that fail': repeated('postinst script a has failed with exit code 1\n'),
  'profiles of make info': `Current Target: "a"\nAvailable Profiles:\n${repeated('a:\n    Packages: b\n')}`,
  'targets of make info': repeated('Current Target: "\n'),
  'packages of make info': `Default Packages: ${repeated('a ')}\nAvailable Profiles:\n`,
  'packages of apk': repeated('P:a\nV:1\n\n'),
  'packages of opkg': repeated('Package: a\nVersion: 1\nStatus: install ok installed\nProvides: a,b\n\n'),
  'names provided': `P:a\nV:1\np:${repeated('a=1 ')}`,
  'names provided, line by line': repeated(`P:a\nV:1\np:${'b=1 '.repeat(2_000)}\n\n`),
  'symbols of a configuration': repeated('CONFIG_A=y\n'),
  'file systems of a configuration': repeated('CONFIG_TARGET_ROOTFS_EXT4FS=y\n'),
  'lines of a repository file': repeated('src a b\n'),
  'slashes of a repository file': `src/gz a http://b${repeated('/')}x`,
};
