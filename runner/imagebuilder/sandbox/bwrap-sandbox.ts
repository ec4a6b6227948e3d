import { lstat, readlink } from 'node:fs/promises';
import { type Slots, slots } from '../slots.ts';
import { prlimitArgv } from './limits.ts';
import { buildEnvironment, type MemoryBound, type ResourceLimits, type Sandbox } from './sandbox.ts';

/** The path at which a build sees its tree. asu's containers use the same path, so commands look the same. */
const INSIDE = '/builder';

/** The top-level directories that some distributions have and others link into /usr. */
const SYSTEM = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'];

/** The configuration that tools read whatever they do. */
const ALWAYS = ['/etc/alternatives', '/etc/ld.so.cache', '/etc/passwd', '/etc/group', '/etc/localtime'];

/**
 * Returns the bubblewrap sandbox: the build sees the system's programs read-only, its own tree, and nothing else. When
 * we are root, `drop` (setpriv) runs first with a uid of `uids`, so that the build is an unprivileged user both inside
 * and outside.
 */
export async function bwrapSandbox(options: {
  bwrap: string;
  prlimit: string;
  limits: ResourceLimits;
  memory: MemoryBound;
  /** Whether this bubblewrap can limit a file system in memory. It can since version 0.6. */
  sizesTmpfs: boolean;
  uids?: { drop: (uid: number) => string[]; slots: Slots; uidOf: (slot: number) => number };
}): Promise<Sandbox> {
  const { bwrap, prlimit, limits, memory } = options;
  const tmpfs = (path: string) => [...(options.sizesTmpfs ? ['--size', String(limits.tmpBytes)] : []), '--tmpfs', path];
  const system = ['--ro-bind', '/usr', '/usr', ...(await Promise.all(SYSTEM.map(systemDirectory))).flat()];
  const always = ALWAYS.flatMap((path) => ['--ro-bind-try', path, path]);
  const uidOf = (slot: number) => options.uids?.uidOf(slot);

  return {
    level: 'bwrap',
    hasNamespaces: true,
    allowsCustomRepositories: true,
    hasOwnTmp: true,
    memory,
    mountsReadOnlyParts: true,
    slots: options.uids?.slots ?? slots(),
    uidOf,
    outside: async () => [],
    leave: async () => [],
    treeInside: () => INSIDE,
    confine: (argv, place, { marker, env = {} }) => {
      const uid = uidOf(place.slot);
      const variables = Object.entries({ ...buildEnvironment(INSIDE, marker), ...env });
      const chain = [
        ...(uid === undefined ? [] : (options.uids?.drop(uid) ?? [])),
        ...prlimitArgv(prlimit, limits),
        ...[bwrap, '--unshare-all', '--die-with-parent', '--new-session'],
        ...system,
        ...always,
        // The root and /dev are file systems in memory, too. They get what they need and become read-only.
        ...['--proc', '/proc', '--dev', '/dev', ...tmpfs('/dev/shm'), '--remount-ro', '/dev'],
        ...[...tmpfs('/tmp'), '--dir', '/var', '--symlink', '../tmp', '/var/tmp'],
        ...['--bind', place.tree, INSIDE],
        ...Object.entries(place.readOnly).flatMap(([part, source]) => ['--ro-bind', source, `${INSIDE}/${part}`]),
        ...['--remount-ro', '/'],
        '--clearenv',
        ...variables.flatMap(([name, value]) => ['--setenv', name, value]),
        ...['--chdir', INSIDE, '--', ...argv],
      ];
      return {
        file: chain[0] ?? bwrap,
        args: chain.slice(1),
        cwd: '/',
        env: buildEnvironment('/', marker),
        marker,
        hasPidNamespace: true,
        uid,
        memory,
      };
    },
  };
}

/**
 * Returns the arguments that show a system directory to the build. A link stays a link, and a missing directory is left
 * out.
 */
async function systemDirectory(path: string): Promise<string[]> {
  const stat = await lstat(path).catch(() => undefined);
  if (stat === undefined) return [];
  return stat.isSymbolicLink() ? ['--symlink', await readlink(path), path] : ['--ro-bind', path, path];
}
