import { serverOf } from './build-marker.ts';
import { childrenOf, findProcesses, markerOfProcess, type ProcessFacts, processFacts, rightsOf } from './process-table.ts';

/** How the processes of one command can be told from all others of the machine. */
export interface CommandTraits {
  /** Leads the command's process group. */
  readonly leader: number;
  /** When it was started, by the kernel's clock (`ProcessFacts`). */
  readonly startedAt: number;
  readonly hasPidNamespace: boolean;
  /** This process holds a claim on it, and gives it to no other build meanwhile. */
  readonly uid: number | undefined;
  readonly marker: string;
}

/**
 * Whether a process belongs to the command: it began since, and carries the build's marker; or nobody else can have started it.
 * The latter takes all of these: it has the build's claimed uid and no other, it can gain no privileges as nothing in a sandbox
 * can, and neither it nor a process above it is of another server's live build. A marker alone protects no process, since a build
 * may give its processes any environment.
 */
export function isCertainlyOf(facts: ProcessFacts, { startedAt, hasPidNamespace, uid, marker }: CommandTraits): boolean {
  if (facts.startedAt < startedAt) return false;
  const carried = markerOfProcess(facts.pid);
  if (carried === marker) return true;
  // Nothing leaves a pid namespace.
  if (uid === undefined || hasPidNamespace) return false;
  const { uids, noNewPrivileges } = rightsOf(facts.pid);
  return noNewPrivileges && uids.length === 4 && uids.every((one) => one === uid) && !isBelowAnotherBuild(facts, marker);
}

/** Whether it or a process above it is of a live build of another server: the first process of a sandbox keeps its marker. */
function isBelowAnotherBuild(facts: ProcessFacts, marker: string): boolean {
  for (let at: ProcessFacts | undefined = facts; at !== undefined && at.pid !== process.pid; at = processFacts(at.parent)) {
    const carried = markerOfProcess(at.pid);
    if (carried === marker) return false;
    if (carried !== undefined && isLiveElsewhere(carried)) return true;
  }
  return false;
}

/**
 * Whether a marker is that of a live build of another server: the server that it names has a child that carries it. No build can
 * make that up, since it can neither read the marker of a build with another uid nor guess it. This server gives a uid to no two
 * builds, so a process of the one that carries the marker of the other has forged it.
 */
function isLiveElsewhere(marker: string): boolean {
  const server = serverOf(marker);
  if (server === undefined || server === process.pid) return false;
  return childrenOf(server).some((child) => markerOfProcess(child) === marker);
}

/** The command's processes while its leader lives: those below it, and those that are certainly of it. */
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
