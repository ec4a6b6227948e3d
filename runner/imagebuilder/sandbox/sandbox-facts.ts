import type { Sandbox, SandboxLevel } from './sandbox.ts';

/** The isolation of builds from this machine, in the words of the log, of `/ready` and of a metric's labels. */
export interface SandboxFacts {
  readonly level: SandboxLevel;
  /**
   * The network of builds. `shared`: package scripts reach the machine's loopback, private addresses and a cloud's
   * credentials.
   */
  readonly network: 'none' | 'shared';
  readonly memory: 'cgroup v1' | 'cgroup v2' | 'watched';
  /** The directory for temporary files. `shared`: builds can leave files where every user may. */
  readonly tmp: 'own' | 'shared';
  /** Whether ImageBuilders without the signature of a known key are run. */
  readonly unsigned: 'built' | 'refused';
}

/** Returns what operators should know about a sandbox. */
export function sandboxFacts({ level, hasNamespaces, hasOwnTmp, memory: { cgroups } }: Sandbox): SandboxFacts {
  return {
    level,
    network: hasNamespaces ? 'none' : 'shared',
    memory: cgroups === undefined ? 'watched' : `cgroup v${cgroups.version}`,
    tmp: hasOwnTmp ? 'own' : 'shared',
    unsigned: level === 'plain' ? 'refused' : 'built',
  };
}
