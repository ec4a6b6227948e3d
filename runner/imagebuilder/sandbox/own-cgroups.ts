import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** The cgroup of this process in one hierarchy. */
export interface OwnCgroup {
  readonly version: 1 | 2;
  readonly directory: string;
  /** The directory at which the hierarchy is mounted: the top of what can be seen of it. */
  readonly top: string;
}

/** Reads a file of /proc or of a cgroup. A file that cannot be read has no text. */
export type ReadText = (path: string) => Promise<string>;

export const readText: ReadText = (path) => readFile(path, 'utf8').catch(() => '');

/**
 * Returns the own cgroups of this process that may have a controller (`memory`, `cpu`), version 2 first.
 * `/proc/self/cgroup` has paths relative to the mount point of each hierarchy.
 */
export async function ownCgroups(controller: string, read: ReadText = readText): Promise<OwnCgroup[]> {
  const paths = (await read('/proc/self/cgroup')).split('\n').map((line) => line.split(':'));
  const found: OwnCgroup[] = [];
  for (const mount of (await read('/proc/self/mountinfo')).split('\n')) {
    const [before = '', after = ''] = mount.split(' - ');
    const [, , , root = '', point = ''] = before.split(' ');
    const [type, , options = ''] = after.split(' ');
    const version = type === 'cgroup2' ? 2 : type === 'cgroup' && options.split(',').includes(controller) ? 1 : undefined;
    const path = paths
      .find(([, names]) => (version === 2 ? names === '' : names?.split(',').includes(controller)))
      ?.slice(2)
      .join(':');
    if (version === undefined || path === undefined) continue;
    // A container may have only the part below its own cgroup mounted.
    const below = root === '/' ? path : path === root ? '' : path.startsWith(`${root}/`) ? path.slice(root.length) : undefined;
    if (below !== undefined && !below.startsWith('/..')) found.push({ version, directory: join(point, below), top: join(point, '.') });
  }
  return found.sort((a, b) => b.version - a.version);
}

/** Returns the directory of a cgroup and those above it, up to the top of its hierarchy. */
export function withAncestors({ directory, top }: OwnCgroup): string[] {
  const found = [directory.replace(/\/$/, '')];
  for (let at = found[0] ?? ''; at !== top && at.startsWith(`${top}/`); ) {
    at = dirname(at);
    found.push(at);
  }
  return found;
}
