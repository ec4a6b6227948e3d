import { lstat, readlink, realpath } from 'node:fs/promises';
import { type Slots, slots } from '../slots.ts';
import { prlimitArgv } from './limits.ts';
import { buildEnvironment, type MemoryBound, type ResourceLimits, type Sandbox } from './sandbox.ts';

/** Where a build sees its tree; the path asu's containers use, so commands read the same. */
const INSIDE = '/builder';

/** Top-level directories that distributions either have or link into /usr. */
const SYSTEM = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'];

/** Configuration that tools read whatever they do. */
const ALWAYS = ['/etc/alternatives', '/etc/ld.so.cache', '/etc/passwd', '/etc/group', '/etc/localtime'];

/** What it takes to resolve names and check certificates. */
const FOR_NETWORK = [
  '/etc/resolv.conf',
  '/etc/hosts',
  '/etc/nsswitch.conf',
  '/etc/services',
  '/etc/ssl',
  '/etc/ca-certificates',
  '/etc/pki',
];

/**
 * bubblewrap: the build sees the system's programs read-only, its own tree, and nothing else. With `uids`, when we
 * are root, `drop` (setpriv) comes first, so that inside and outside it is nobody in particular.
 */
export async function bwrapSandbox(options: {
  bwrap: string;
  prlimit: string;
  limits: ResourceLimits;
  memory: MemoryBound;
  /** Whether this bubblewrap can bound a file system in memory: 0.6 and later. */
  sizesTmpfs: boolean;
  uids?: { drop: (uid: number) => string[]; slots: Slots; uidOf: (slot: number) => number };
}): Promise<Sandbox> {
  const { bwrap, prlimit, limits, memory } = options;
  const tmpfs = (path: string) => [...(options.sizesTmpfs ? ['--size', String(limits.tmpBytes)] : []), '--tmpfs', path];
  const system = ['--ro-bind', '/usr', '/usr', ...(await Promise.all(SYSTEM.map(systemDirectory))).flat()];
  const always = ALWAYS.flatMap((path) => ['--ro-bind-try', path, path]);
  const forNetwork = (await Promise.all(FOR_NETWORK.map(followed))).flat();
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
    confine: (argv, place, { network, marker, env = {} }) => {
      const uid = uidOf(place.slot);
      const variables = Object.entries({ ...buildEnvironment(INSIDE, marker), ...env });
      const chain = [
        ...(uid === undefined ? [] : (options.uids?.drop(uid) ?? [])),
        ...prlimitArgv(prlimit, limits),
        ...[bwrap, '--unshare-all', ...(network ? ['--share-net'] : []), '--die-with-parent', '--new-session'],
        ...system,
        ...always,
        ...(network ? forNetwork : []),
        // The root and /dev are file systems in memory too: they are full of what they need, and closed.
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

/** A link stays a link, a directory is shown, what is not there is not there. */
async function systemDirectory(path: string): Promise<string[]> {
  const stat = await lstat(path).catch(() => undefined);
  if (stat === undefined) return [];
  return stat.isSymbolicLink() ? ['--symlink', await readlink(path), path] : ['--ro-bind', path, path];
}

/** /etc/resolv.conf is often a link to where the build cannot see: show the file it leads to. */
async function followed(path: string): Promise<string[]> {
  const target = await realpath(path).catch(() => undefined);
  return target === undefined ? [] : ['--ro-bind', target, path];
}
