import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Real file systems of a few megabytes each. */
export interface SmallDisks {
  /** The command that runs another command so that it sees the disks. */
  readonly wrapper: readonly string[];
  /** Returns the path by which this process reaches a file on one of the disks. */
  reach(path: string): string;
  /** Fills a disk until only so many bytes are free. */
  fill(directory: string, leaveBytes?: number): Promise<void>;
  free(directory: string): Promise<void>;
  unmount(): Promise<void>;
}

const BALLAST = 'ballast';

/**
 * Mounts a separate small disk on each directory, of the given size in megabytes. As root, every process sees it;
 * otherwise it exists in a namespace that a background process keeps. Throws if the machine allows neither.
 */
export async function smallDisks(directories: Readonly<Record<string, number>>): Promise<SmallDisks> {
  const mounts = Object.entries(directories).map(([path, megabytes]) => ({ path, options: `size=${megabytes}m,mode=755` }));
  for (const { path } of mounts) await mkdir(path, { recursive: true });
  const { wrapper, prefix, unmount } = await mountAsRoot(mounts).catch((whyNotRoot) =>
    mountInNamespace(mounts).catch((whyNotNamespace) => {
      throw new Error(
        `No small disk can be mounted here: neither by root (${reasonOf(whyNotRoot)}) nor by unshare -Urm (${reasonOf(whyNotNamespace)})`,
      );
    }),
  );
  const reach = (path: string) => prefix + path;
  return {
    wrapper,
    reach,
    fill: async (directory, leaveBytes = 0) => {
      const file = await open(join(reach(directory), BALLAST), 'w');
      try {
        const { bavail, bsize } = await statfs(reach(directory));
        for (let left = bavail * bsize - leaveBytes; left > 0; )
          left -= (await file.write(Buffer.alloc(Math.min(left, 1024 * 1024)))).bytesWritten;
      } catch (error) {
        // Another process has used some of the space meanwhile.
        if (!(leaveBytes === 0 && error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
      } finally {
        await file.close();
      }
    },
    free: (directory) => rm(join(reach(directory), BALLAST), { force: true }),
    unmount,
  };
}

interface Mount {
  readonly path: string;
  readonly options: string;
}

interface Mounted {
  readonly wrapper: readonly string[];
  readonly prefix: string;
  unmount(): Promise<void>;
}

async function mountAsRoot(mounts: readonly Mount[]): Promise<Mounted> {
  const mounted: string[] = [];
  const unmount = async () => {
    // The unmount is lazy: builds of a killed server may still have files open.
    for (const path of mounted.splice(0).reverse()) await run('umount', ['-l', path]);
  };
  try {
    for (const { path, options } of mounts) {
      await run('mount', ['-t', 'tmpfs', '-o', options, 'asu-test', path]);
      mounted.push(path);
    }
  } catch (error) {
    await unmount();
    throw error;
  }
  return { wrapper: [], prefix: '', unmount };
}

async function mountInNamespace(mounts: readonly Mount[]): Promise<Mounted> {
  const script = 'while [ $# -gt 0 ]; do mount -t tmpfs -o "$2" asu-test "$1" || exit; shift 2; done; echo mounted; exec cat';
  const holder = spawn('unshare', ['-Urm', 'sh', '-c', script, 'sh', ...mounts.flatMap(({ path, options }) => [path, options])], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  await isMounted(holder);
  return {
    wrapper: ['nsenter', '--target', String(holder.pid), '--user', '--mount', '--preserve-credentials', '--'],
    prefix: `/proc/${holder.pid}/root`,
    unmount: async () => {
      holder.stdin?.end();
      if (holder.exitCode === null) await once(holder, 'exit');
    },
  };
}

async function isMounted(holder: ChildProcess): Promise<void> {
  let said = '';
  holder.stderr?.on('data', (chunk) => {
    said += chunk;
  });
  await new Promise<void>((resolve, reject) => {
    holder.once('error', reject);
    holder.once('close', () => reject(new Error(said.trim() || 'unshare ended')));
    holder.stdout?.once('data', () => resolve());
  });
}

const reasonOf = (error: unknown) => (error instanceof Error ? error.message.trim() : String(error));
