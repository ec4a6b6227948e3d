import { findProcesses, markerOfProcess, type ProcessFacts, processFacts, rightsOf } from './process-table.ts';

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
 * Whether a process belongs to the command: it began since, and carries the build's marker; or it has shed its environment and
 * nobody else can have started it. The latter takes all of these: it has the build's claimed uid and no other, can gain no
 * privileges as nothing in a sandbox can, and neither it nor a process above it carries another build's marker.
 */
export function isCertainlyOf(facts: ProcessFacts, { startedAt, hasPidNamespace, uid, marker }: CommandTraits): boolean {
  if (facts.startedAt < startedAt) return false;
  const carried = markerOfProcess(facts.pid);
  if (carried !== undefined) return carried === marker;
  // Nothing leaves a pid namespace.
  if (uid === undefined || hasPidNamespace) return false;
  const { uids, noNewPrivileges } = rightsOf(facts.pid);
  return noNewPrivileges && uids.length === 4 && uids.every((one) => one === uid) && !isBelowAnotherBuild(facts, marker);
}

/** Whether another build started a process above it: the first process of a sandbox keeps its marker. */
function isBelowAnotherBuild({ parent }: ProcessFacts, marker: string): boolean {
  for (let above = processFacts(parent); above !== undefined && above.pid !== process.pid; above = processFacts(above.parent)) {
    const carried = markerOfProcess(above.pid);
    if (carried !== undefined) return carried !== marker;
  }
  return false;
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
