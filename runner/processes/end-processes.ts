import { setTimeout as sleep } from 'node:timers/promises';
import { type CommandTraits, isCertainlyOf } from './command-processes.ts';
import { childrenOf, findProcesses, kill, processFacts } from './process-table.ts';

/** How long a process group has to end by itself before it is killed. */
const GRACE_MS = 500;

/** Killing is repeated until nothing is left: a fork bomb makes new ones meanwhile. */
const ROUNDS = 100;

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
    for (const facts of left) kill(facts);
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

/** Whether the group has members. */
function signalGroup(leader: number, name: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-leader, name);
    return true;
  } catch {
    return false;
  }
}
