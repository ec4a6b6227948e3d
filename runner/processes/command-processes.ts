import { serverOf } from './build-marker.ts';
import { childrenOf, findProcesses, markerOfProcess, type ProcessFacts, processFacts, rightsOf } from './process-table.ts';

/** The traits by which the processes of one command are told apart from all others on the machine. */
export interface CommandTraits {
  /** The process that leads the command's process group. */
  readonly leader: number;
  /** The time at which the leader started, by the kernel's clock (`ProcessFacts`). */
  readonly startedAt: number;
  readonly hasPidNamespace: boolean;
  /** The uid of the build. This process holds a claim on it, and gives it to no other build meanwhile. */
  readonly uid: number | undefined;
  readonly marker: string;
}

/**
 * Returns whether a process certainly belongs to the command. The process began after the command, and it either
 * carries the build's marker or can have been started by nothing else. The latter needs all of these: the process has
 * the build's claimed uid and no other, it can gain no privileges (like everything in a sandbox), and neither it nor a
 * process above it belongs to another server's live build. A marker alone protects no process, because a build may set
 * any environment for its processes.
 */
export function isCertainlyOf(facts: ProcessFacts, { startedAt, hasPidNamespace, uid, marker }: CommandTraits): boolean {
  if (facts.startedAt < startedAt) return false;
  const carried = markerOfProcess(facts.pid);
  if (carried === marker) return true;
  // No process leaves a pid namespace.
  if (uid === undefined || hasPidNamespace) return false;
  const { uids, noNewPrivileges } = rightsOf(facts.pid);
  return noNewPrivileges && uids.length === 4 && uids.every((one) => one === uid) && !isBelowAnotherBuild(facts, marker);
}

/**
 * Returns whether the process or one above it belongs to another server's live build. The first process of a sandbox
 * always keeps its marker.
 */
function isBelowAnotherBuild(facts: ProcessFacts, marker: string): boolean {
  for (let at: ProcessFacts | undefined = facts; at !== undefined && at.pid !== process.pid; at = processFacts(at.parent)) {
    const carried = markerOfProcess(at.pid);
    if (carried === marker) return false;
    if (carried !== undefined && isLiveElsewhere(carried)) return true;
  }
  return false;
}

/**
 * Returns whether a marker belongs to a live build of another server: the server that it names has a child that carries
 * it. No build can forge that, because it can neither read nor guess the marker of a build with another uid. This
 * server never gives one uid to two builds, so a process of one build that carries the marker of another has forged it.
 */
function isLiveElsewhere(marker: string): boolean {
  const server = serverOf(marker);
  if (server === undefined || server === process.pid) return false;
  return childrenOf(server).some((child) => markerOfProcess(child) === marker);
}

/**
 * Returns the command's processes while its leader lives: those that certainly belong to it, and all processes below
 * them.
 */
export async function processesOf(traits: CommandTraits): Promise<number[]> {
  const parents = new Map<number, number>();
  const certain = new Set<number>([traits.leader]);
  await findProcesses((facts) => {
    parents.set(facts.pid, facts.parent);
    if (isCertainlyOf(facts, traits)) certain.add(facts.pid);
    return false;
  });
  const isBelow = (pid: number): boolean => {
    for (let at: number | undefined = pid; at !== undefined; at = parents.get(at)) if (certain.has(at)) return true;
    return false;
  };
  return [...parents.keys()].filter(isBelow);
}
