import { setTimeout as sleep } from 'node:timers/promises';
import { type CommandTraits, isCertainlyOf } from './command-processes.ts';
import { childrenOf, findProcesses, kill, processFacts } from './process-table.ts';

/** The time that a process group has to end by itself before it is killed. */
const GRACE_MS = 500;

/** The number of rounds of killing. One round is not enough for a fork bomb, which starts new processes meanwhile. */
const ROUNDS = 100;

/**
 * Ends every process of a command. A pid namespace ends as a whole; otherwise the process group gets SIGTERM, then
 * SIGKILL. After that it kills all other processes that certainly belong to the command (`isCertainlyOf`), and resolves
 * when none is left. `isOver` means that the leader has ended already, so its process id may belong to another process
 * by now.
 */
export async function endProcesses(traits: CommandTraits, isOver: boolean): Promise<void> {
  if (!traits.hasPidNamespace) await endGroup(traits.leader);
  else if (!isOver) await endNamespace(traits.leader);
  for (let round = 0; round < ROUNDS; round++) {
    const left = await findProcesses((facts) => isCertainlyOf(facts, traits));
    if (left.length === 0) return;
    for (const facts of left) kill(facts);
    await sleep(Math.min(2 * round, 50));
  }
}

/**
 * Ends a process group. The id of a group stays taken while the group has members, and is not reused within our pauses.
 */
async function endGroup(leader: number): Promise<void> {
  if (!signalGroup(leader, 'SIGTERM')) return;
  if (!(await groupEnded(leader, GRACE_MS))) signalGroup(leader, 'SIGKILL');
}

/**
 * Ends a pid namespace. The kernel ends all its processes with the first one, and the parent notices only when all have
 * ended.
 */
async function endNamespace(leader: number): Promise<void> {
  for (const child of childrenOf(leader)) {
    const facts = processFacts(child);
    if (facts?.parent === leader) kill(facts);
  }
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

/** Sends a signal, and returns whether the group has members. */
function signalGroup(leader: number, name: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-leader, name);
    return true;
  } catch {
    return false;
  }
}
