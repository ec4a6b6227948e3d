import { setTimeout as sleep } from 'node:timers/promises';
import { childrenOf, findProcesses, markerOfProcess, type ProcessFacts, processFacts, rightsOf } from './process-table.ts';

/** How long a process group has to end by itself before it is killed. */
const GRACE_MS = 500;

/** Killing is repeated until nothing is left: a fork bomb makes new ones meanwhile. */
const ROUNDS = 100;

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
 * Ends every process of a command: its whole pid namespace at once where there is one, else its process group, politely
 * first; then all others that are certainly the command's (`isCertainlyOf`). Settles when none of these is left.
 * `isOver`: the leader has ended already, so its number may be another process's by now.
 */
export async function endProcesses(traits: CommandTraits, isOver: boolean): Promise<void> {
  if (!traits.hasPidNamespace) await endGroup(traits.leader);
  else if (!isOver) await endNamespace(traits.leader);
  for (let round = 0; round < ROUNDS; round++) {
    const left = await findProcesses((facts) => isCertainlyOf(facts, traits));
    if (left.length === 0) return;
    for (const pid of left) signal(pid, 'SIGKILL');
    await sleep(Math.min(2 * round, 50));
  }
}

/** The number of a group stays taken while it has members, and longer than we look away after that. */
async function endGroup(leader: number): Promise<void> {
  if (!signalGroup(leader, 'SIGTERM')) return;
  if (!(await groupEnded(leader, GRACE_MS))) signalGroup(leader, 'SIGKILL');
}

/** The kernel ends all of a pid namespace with its first process, and its parent sees that only when all are gone. */
async function endNamespace(leader: number): Promise<void> {
  for (const child of childrenOf(leader)) signal(child, 'SIGKILL');
  if (!(await groupEnded(leader, GRACE_MS))) signalGroup(leader, 'SIGKILL');
}

async function groupEnded(leader: number, withinMs: number): Promise<boolean> {
  const until = performance.now() + withinMs;
  while (signalGroup(leader, 0)) {
    if (performance.now() >= until) return false;
    await sleep(10);
  }
  return true;
}

/**
 * Whether a process belongs to the command: it began since, and carries the build's marker; or it has shed its environment and
 * nobody else can have started it. The latter takes all of these: it has the build's claimed uid and no other, can gain no
 * privileges as nothing in a sandbox can, and neither it nor a process above it carries another build's marker.
 */
function isCertainlyOf(facts: ProcessFacts, { startedAt, hasPidNamespace, uid, marker }: CommandTraits): boolean {
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

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // Gone already.
  }
}

/** Whether the group has members. */
function signalGroup(leader: number, name: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-leader, name);
    return true;
  } catch {
    return false;
  }
}
