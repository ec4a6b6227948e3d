import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runTool } from '#runner/imagebuilder/process/run-tool.ts';
import { findTool } from '#runner/imagebuilder/sandbox/host-tools.ts';
import { TOOL_PATH } from '#runner/imagebuilder/sandbox/sandbox.ts';
import { loadablePerlModules } from './perl-modules.ts';

/** The packages to install, by the package manager of the host's distribution. It is empty when no package helps. */
interface InstallHint {
  readonly apt: string;
  readonly dnf: string;
  readonly apk: string;
}

/** One thing that ImageBuilders need on the host (docs/imagebuilder.md §9). */
export interface HostCheck {
  readonly name: string;
  readonly ok: boolean;
  /** The result for people to read: a path, a version, or the problem. */
  readonly found: string;
  /** Whether every build needs it. The rest is needed by some ImageBuilders only. */
  readonly required: boolean;
  readonly install: InstallHint;
}

const packages = (apt: string, dnf = apt, apk = apt): InstallHint => ({ apt, dnf, apk });
const NOTHING = packages('');

/**
 * The programs, and the packages that contain them. Busybox has reduced versions of some, so Alpine gets the GNU
 * packages.
 */
const PROGRAMS: readonly (readonly [string, InstallHint])[] = [
  ['bash', packages('bash')],
  ['perl', packages('perl', 'perl', 'perl')],
  ['gawk', packages('gawk')],
  ['file', packages('file')],
  ['unzip', packages('unzip')],
  ['bzip2', packages('bzip2')],
  ['zstd', packages('zstd')],
  ['wget', packages('wget')],
  ['rsync', packages('rsync')],
  ['patch', packages('patch')],
  ['diff', packages('diffutils')],
  ['find', packages('findutils')],
  ['grep', packages('grep')],
  ['sed', packages('sed')],
  ['gzip', packages('gzip')],
  ['git', packages('git')],
  ['getopt', packages('util-linux', 'util-linux', 'util-linux-misc')],
  ['cp', packages('coreutils')],
];

const PERL_MODULES = ['Data::Dumper', 'FindBin', 'File::Copy', 'File::Compare', 'Thread::Queue', 'IPC::Cmd', 'JSON::PP'];

/** The packages of perl's core modules. Fedora splits them. */
const PERL_PACKAGES = packages('perl', 'perl-core', 'perl perl-utils');

/**
 * Checks everything that real ImageBuilders expect of the host, with the fixed tool path that builds get. `directory`
 * is where builds will live. It installs and changes nothing.
 */
export async function checkHost(directory: string): Promise<HostCheck[]> {
  const checks = await Promise.all([
    platform(),
    version('make', ['--version'], [4, 1], packages('make'), true),
    program('tar', packages('tar'), true),
    program('xz', packages('xz-utils', 'xz', 'xz'), true),
    ...PROGRAMS.map(([name, install]) => program(name, install, false)),
    version('python3', ['--version'], [3, 7], packages('python3'), false),
    pythonModule('distutils', packages('python3-distutils', 'python3-setuptools', 'py3-setuptools')),
    perlModules(),
    caseSensitive(directory),
    umask(),
  ]);
  return checks.flat();
}

/** Returns the commands that install everything missing, one per package manager; none when nothing is missing. */
export function installCommands(checks: readonly HostCheck[]): string[] {
  const missing = checks.filter(({ ok }) => !ok);
  const names = (manager: keyof InstallHint) =>
    [...new Set(missing.flatMap(({ install }) => install[manager].split(' ')).filter(Boolean))].join(' ');
  if (names('apt') === '') return [];
  return [`apt-get install ${names('apt')}`, `dnf install ${names('dnf')}`, `apk add ${names('apk')}`];
}

async function platform(): Promise<HostCheck> {
  return {
    name: 'Linux on x86_64',
    ok: process.platform === 'linux' && process.arch === 'x64',
    found: `${process.platform} ${process.arch}`,
    required: true,
    install: NOTHING,
  };
}

async function program(name: string, install: InstallHint, required: boolean): Promise<HostCheck> {
  const path = await findTool(name);
  return { name, ok: path !== undefined, found: path ?? `not in ${TOOL_PATH}`, required, install };
}

async function version(
  name: string,
  args: string[],
  least: readonly [number, number],
  install: InstallHint,
  required: boolean,
): Promise<HostCheck> {
  const wanted = `${name} ≥ ${least.join('.')}`;
  const path = await findTool(name);
  if (path === undefined) return { name: wanted, ok: false, found: `not in ${TOOL_PATH}`, required, install };
  const said = (await ask(path, args))?.split('\n')[0]?.trim() ?? '';
  const [major = 0, minor = 0] = (said.split(' ').at(-1) ?? '').split('.').map(Number);
  const ok = major > least[0] || (major === least[0] && minor >= least[1]);
  return { name: wanted, ok, found: said || 'does not say its version', required, install };
}

async function perlModules(): Promise<HostCheck[]> {
  const perl = await findTool('perl');
  const loadable = perl === undefined ? [] : await loadablePerlModules(perl, PERL_MODULES);
  return PERL_MODULES.map((name) => {
    const ok = loadable.includes(name);
    return { name: `perl module ${name}`, ok, found: ok ? 'there' : 'missing', required: false, install: PERL_PACKAGES };
  });
}

/**
 * Checks for a module that was part of Python until 3.11; since 3.12 ImageBuilders that need it get it from setuptools.
 */
async function pythonModule(name: string, install: InstallHint): Promise<HostCheck> {
  const python = await findTool('python3');
  const ok = python !== undefined && (await ask(python, ['-W', 'ignore', '-c', `import ${name}`])) !== undefined;
  return { name: `python module ${name}`, ok, found: ok ? 'there' : 'missing', required: false, install };
}

async function caseSensitive(directory: string): Promise<HostCheck> {
  const name = 'case-sensitive file system';
  const check = { name, required: true, install: NOTHING };
  try {
    const probe = await mkdtemp(join(directory, 'case-'));
    try {
      await writeFile(join(probe, 'a'), '');
      await writeFile(join(probe, 'A'), '');
      const ok = (await readdir(probe)).length === 2;
      return { ...check, ok, found: ok ? directory : `${directory} does not tell a from A` };
    } finally {
      await rm(probe, { recursive: true, force: true });
    }
  } catch (error) {
    return { ...check, ok: false, found: `${directory} cannot be written: ${error instanceof Error ? error.message : error}` };
  }
}

/** Checks that the umask of builds can be set. The runner sets it for each build itself. */
async function umask(): Promise<HostCheck> {
  const before = process.umask(0o022);
  const now = process.umask(before);
  return { name: 'umask 022', ok: now === 0o022, found: before.toString(8).padStart(3, '0'), required: false, install: NOTHING };
}

/** Returns the output of a program, or `undefined` when it fails. */
async function ask(path: string, args: string[]): Promise<string | undefined> {
  return runTool(path, args, { cwd: '/', signal: AbortSignal.timeout(10_000) }).catch(() => undefined);
}
