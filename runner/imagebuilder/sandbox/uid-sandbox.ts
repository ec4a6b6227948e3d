import type { Slots } from '../slots.ts';
import { prlimitArgv } from './limits.ts';
import { buildEnvironment, type MemoryBound, type ResourceLimits, type Sandbox } from './sandbox.ts';
import { clearSharedPlaces, inSharedPlaces, SHARED_PLACES } from './shared-places.ts';

/** Returns the setpriv arguments that drop all rights for good: no capabilities and no set-uid programs. */
export const dropArgv = (setpriv: string, uid: number): string[] => [
  setpriv,
  `--reuid=${uid}`,
  `--regid=${uid}`,
  '--clear-groups',
  '--no-new-privs',
  '--bounding-set=-all',
  '--inh-caps=-all',
  '--',
];

interface UidSandboxOptions {
  readonly setpriv: string;
  readonly prlimit: string;
  readonly limits: ResourceLimits;
  readonly memory: MemoryBound;
  readonly slots: Slots;
  readonly uidOf: (slot: number) => number;
}

/**
 * Returns the sandbox with an unprivileged uid for each slot. It needs root. The machine's files stay visible as far as
 * their modes allow.
 */
export function uidSandbox(options: UidSandboxOptions): Sandbox {
  const { setpriv, prlimit, limits, memory, slots, uidOf } = options;
  return {
    level: 'uid',
    hasNamespaces: false,
    allowsCustomRepositories: true,
    hasOwnTmp: false,
    memory,
    mountsReadOnlyParts: false,
    slots,
    uidOf,
    outside: (slot) => inSharedPlaces(uidOf(slot)),
    leave: (slot) => clearSharedPlaces(uidOf(slot)),
    treeInside: (place) => place.tree,
    confine: (argv, place, { marker, env = {} }) => {
      const uid = uidOf(place.slot);
      const chain = [...dropArgv(setpriv, uid), ...prlimitArgv(prlimit, limits), ...argv];
      return {
        file: setpriv,
        args: chain.slice(1),
        cwd: place.tree,
        env: { ...buildEnvironment(place.tree, marker), TMPDIR: `${place.tree}/tmp`, ...env },
        marker,
        hasPidNamespace: false,
        uid,
        memory,
      };
    },
  };
}

/**
 * A script that prepares the mounts of a build, as root, in its own namespaces. One small file system in memory covers
 * all places where every user may leave files. The tree may be below one of them, so the script holds it open and binds
 * it to its path again.
 */
const MOUNT = `set -eu
tree=$1 size=$2
shift 2
# A new network has its loopback down, and the fakeroot of ImageBuilders reaches its daemon at 127.0.0.1.
ip link set lo up 2>/dev/null || ifconfig lo up 2>/dev/null || busybox ip link set lo up 2>/dev/null || {
  echo 'the loopback of the build cannot be brought up: this takes ip (iproute2), ifconfig or busybox' >&2
  exit 1
}
while [ "$1" != -- ]; do
  # An earlier command of the build may have put a link on the way: root would mount wherever it leads.
  if [ "$(readlink -f "$tree/$2")" != "$(readlink -f "$tree")/$2" ]; then
    echo "$2 of the build is not where it belongs: a link is on the way" >&2
    exit 1
  fi
  mount --bind "$1" "$tree/$2"
  mount -o remount,bind,ro,nosuid,nodev "$tree/$2"
  shift 2
done
shift
exec 8<"$tree"
mount -t tmpfs -o "size=$size,mode=1777,nosuid,nodev" tmpfs /tmp
for place in ${SHARED_PLACES.filter((place) => place !== '/tmp').join(' ')}; do
  if [ -d "$place" ] && [ ! -L "$place" ]; then mount --bind /tmp "$place"; fi
done
if [ ! -d "$tree" ]; then
  mkdir -p "$tree"
  mount --no-canonicalize --rbind /proc/self/fd/8 "$tree"
fi
exec 8<&-
cd "$tree"
exec "$@"`;

/** Returns the sandbox of `uidSandbox` with its own namespaces for processes, mounts, network, IPC and host name. */
export function unshareSandbox(options: UidSandboxOptions & { unshare: string }): Sandbox {
  const { setpriv, prlimit, unshare, limits, memory, slots, uidOf } = options;
  return {
    level: 'unshare',
    hasNamespaces: true,
    allowsCustomRepositories: true,
    hasOwnTmp: true,
    memory,
    mountsReadOnlyParts: true,
    slots,
    uidOf,
    outside: async () => [],
    leave: async () => [],
    treeInside: (place) => place.tree,
    confine: (argv, place, { marker, env = {} }) => {
      const uid = uidOf(place.slot);
      const namespaces = ['--pid', '--fork', '--kill-child=SIGKILL', '--mount-proc', '--ipc', '--uts', '--net'];
      const parts = Object.entries(place.readOnly).flatMap(([part, source]) => [source, part]);
      const mounted = ['/bin/sh', '-c', MOUNT, 'sh', place.tree, String(limits.tmpBytes), ...parts, '--'];
      return {
        file: unshare,
        args: [...namespaces, '--', ...mounted, ...dropArgv(setpriv, uid), ...prlimitArgv(prlimit, limits), ...argv],
        cwd: '/',
        env: { ...buildEnvironment(place.tree, marker), ...env },
        marker,
        hasPidNamespace: true,
        uid,
        memory,
      };
    },
  };
}
