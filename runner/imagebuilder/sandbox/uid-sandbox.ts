import type { Slots } from '../slots.ts';
import { prlimitArgv } from './limits.ts';
import { buildEnvironment, type ResourceLimits, type Sandbox } from './sandbox.ts';

/** setpriv without any way back: no capabilities now or ever, no set-uid programs. */
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

/**
 * Another uid without rights, one per slot; with `unshare` also namespaces of processes, network, IPC and host name.
 * Needs root. The files of the machine stay visible as far as their modes allow.
 */
export function uidSandbox(options: {
  setpriv: string;
  prlimit: string;
  unshare?: string;
  limits: ResourceLimits;
  slots: Slots;
  uidOf: (slot: number) => number;
}): Sandbox {
  const { setpriv, prlimit, unshare, limits, slots, uidOf } = options;
  const hasNamespaces = unshare !== undefined;
  return {
    level: hasNamespaces ? 'unshare' : 'uid',
    hasNamespaces,
    allowsCustomRepositories: true,
    mountsReadOnlyParts: false,
    slots,
    uidOf,
    treeInside: (place) => place.tree,
    confine: (argv, place, { network, marker, env = {} }) => {
      const uid = uidOf(place.slot);
      const namespaces =
        unshare === undefined
          ? []
          : [unshare, '--pid', '--fork', '--kill-child=SIGKILL', '--mount-proc', '--ipc', '--uts', ...(network ? [] : ['--net']), '--'];
      const chain = [...namespaces, ...dropArgv(setpriv, uid), ...prlimitArgv(prlimit, limits), ...argv];
      return {
        file: chain[0] ?? setpriv,
        args: chain.slice(1),
        cwd: place.tree,
        env: { ...buildEnvironment(place.tree, marker), TMPDIR: `${place.tree}/tmp`, ...env },
        marker,
        hasPidNamespace: hasNamespaces,
        uid,
      };
    },
  };
}
