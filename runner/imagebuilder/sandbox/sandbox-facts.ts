import type { Sandbox, SandboxLevel } from './sandbox.ts';

/** How far builds are kept from this machine, in the words of the log, of `/ready` and of a metric's labels. */
export interface SandboxFacts {
  readonly level: SandboxLevel;
  /** `shared`: scripts of packages reach the machine's loopback, private addresses and a cloud's credentials. */
  readonly network: 'none' | 'shared';
  readonly memory: 'cgroup v1' | 'cgroup v2' | 'watched';
  /** `shared`: builds can leave files where every user may. */
  readonly tmp: 'own' | 'shared';
  /** Whether ImageBuilders that no known key has signed are run. */
  readonly unsigned: 'built' | 'refused';
}

/** What operators are to know of a sandbox. */
export function sandboxFacts({ level, hasNamespaces, hasOwnTmp, memory: { cgroups } }: Sandbox): SandboxFacts {
  return {
    level,
    network: hasNamespaces ? 'none' : 'shared',
    memory: cgroups === undefined ? 'watched' : `cgroup v${cgroups.version}`,
    tmp: hasOwnTmp ? 'own' : 'shared',
    unsigned: level === 'plain' ? 'refused' : 'built',
  };
}
