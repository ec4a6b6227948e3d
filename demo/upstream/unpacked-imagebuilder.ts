import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';

/** The exit code and the output of a command. */
export interface Run {
  code: number | null;
  stdout: string;
  stderr: string;
}

const PATH = '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin';

/** Runs a command in a clean environment with the umask that ImageBuilder requires. */
export function run(
  command: string,
  args: readonly string[],
  options: { cwd?: string; input?: Buffer; env?: Record<string, string> } = {},
): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: options.cwd, env: { PATH, LC_ALL: 'C', HOME: tmpdir(), ...options.env } });
    const chunks = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
    child.stdout.on('data', (chunk: Buffer) => chunks.stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => chunks.stderr.push(chunk));
    child.once('error', reject);
    child.once('close', (code) =>
      resolve({ code, stdout: Buffer.concat(chunks.stdout).toString('latin1'), stderr: Buffer.concat(chunks.stderr).toString('latin1') }),
    );
    child.stdin.on('error', () => {});
    child.stdin.end(options.input);
  });
}

/** An unpacked ImageBuilder that installs from a demo upstream. */
export interface UnpackedImagebuilder {
  directory: string;
  make(...args: string[]): Promise<Run>;
  /** Makes a new output directory and returns its path. */
  binDir(): Promise<string>;
}

const parents: string[] = [];

/** Removes every directory that `unpackImagebuilder` made, including output directories. */
export async function removeUnpacked(): Promise<void> {
  await Promise.all(parents.splice(0).map((parent) => rm(parent, { recursive: true, force: true })));
}

/** Unpacks the ImageBuilder of a target into a new temporary directory. */
export async function unpackImagebuilder(tree: string, target: string, upstream: string): Promise<UnpackedImagebuilder> {
  const names = await readdir(join(tree, target));
  const name = names.find((entry) => entry.startsWith('openwrt-imagebuilder-')) ?? '';
  const parent = await mkdtemp(join(tmpdir(), 'demo-imagebuilder-'));
  parents.push(parent);
  const packed = await readFile(join(tree, target, name));
  const unpacked = name.endsWith('.zst')
    ? await run('tar', ['-xf', '-', '-C', parent], { input: zstdDecompressSync(packed) })
    : await run('tar', ['-xJf', '-', '-C', parent], { input: packed });
  if (unpacked.code !== 0) throw new Error(`${name}: ${unpacked.stderr}`);
  const directory = join(parent, name.replace(/\.tar\.(xz|zst)$/, ''));
  for (const file of ['repositories', 'repositories.conf']) {
    const text = await readFile(join(directory, file), 'utf8').catch(() => undefined);
    if (text !== undefined) await writeFile(join(directory, file), text.replaceAll('https://downloads.openwrt.org', upstream));
  }
  let outputs = 0;
  return {
    directory,
    make: (...args) => run('sh', ['-c', 'umask 022; exec make "$@"', 'make', ...args], { cwd: directory }),
    binDir: async () => {
      outputs += 1;
      const path = join(parent, `bin-${outputs}`);
      await mkdir(path);
      return path;
    },
  };
}
