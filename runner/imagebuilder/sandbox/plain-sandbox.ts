import { slots } from '../slots.ts';
import { prlimitArgv } from './limits.ts';
import { buildEnvironment, type MemoryBound, type ResourceLimits, type Sandbox } from './sandbox.ts';

/**
 * Returns a sandbox with our own uid, and with limits where prlimit exists. It suffices for OpenWrt's own packages, but
 * never for packages of others.
 */
export function plainSandbox(options: { prlimit: string | undefined; limits: ResourceLimits; memory: MemoryBound }): Sandbox {
  const { prlimit, limits, memory } = options;
  return {
    level: 'plain',
    hasNamespaces: false,
    allowsCustomRepositories: false,
    hasOwnTmp: false,
    memory,
    mountsReadOnlyParts: false,
    slots: slots(),
    uidOf: () => undefined,
    outside: async () => [],
    leave: async () => [],
    treeInside: (place) => place.tree,
    confine: (argv, place, { marker, env = {} }) => {
      const chain = [...(prlimit === undefined ? [] : prlimitArgv(prlimit, limits)), ...argv];
      return {
        file: chain[0] ?? 'make',
        args: chain.slice(1),
        cwd: place.tree,
        env: { ...buildEnvironment(place.tree, marker), TMPDIR: `${place.tree}/tmp`, ...env },
        marker,
        hasPidNamespace: false,
        uid: undefined,
        memory,
      };
    },
  };
}
