import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** Set in every build's environment: finds processes that left their group and their parents. */
export const MARKER = 'ASU_BUILD';

/** How long a process group has to end by itself before it is killed. */
const GRACE_MS = 500;

/** Killing is repeated until nothing is left: a fork bomb makes new ones meanwhile. */
const ROUNDS = 100;

export interface ProcessTraits {
  readonly pid: number;
  readonly hasPidNamespace: boolean;
  readonly uid: number | undefined;
  readonly marker: string;
}

/**
 * Ends every process of a command: the whole pid namespace at once where there is one, else its group, politely first, and
 * whatever else is marked or has the build's uid. Settles when none is left.
 */
export async function endProcesses(traits: ProcessTraits): Promise<void> {
  if (traits.hasPidNamespace) return endNamespace(traits.pid);
  if (signalGroup(traits.pid, 'SIGTERM')) await groupEnded(traits.pid, GRACE_MS);
  signalGroup(traits.pid, 'SIGKILL');
  for (let round = 0; round < ROUNDS; round++) {
    const left = await strays(traits);
    if (left.length === 0) return;
    for (const pid of left) signal(pid, 'SIGKILL');
    await sleep(Math.min(2 * round, 50));
  }
}

/** The kernel ends all of a pid namespace with its first process, and its parent sees that only when all are gone. */
async function endNamespace(leader: number): Promise<void> {
  const children = await readFile(`/proc/${leader}/task/${leader}/children`, 'utf8').catch(() => '');
  for (const child of children.split(' ').filter(Boolean)) signal(Number(child), 'SIGKILL');
  await groupEnded(leader, GRACE_MS);
  signalGroup(leader, 'SIGKILL');
}

async function groupEnded(leader: number, withinMs: number): Promise<void> {
  const until = performance.now() + withinMs;
  while (performance.now() < until && signalGroup(leader, 0)) await sleep(10);
}

/** Processes that carry the build's marker, and those of its uid that carry none any more. */
async function strays({ uid, marker }: ProcessTraits): Promise<number[]> {
  const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 0 && pid !== process.pid);
  const found = await Promise.all(pids.map(async (pid) => ((await belongs(pid, uid, marker)) ? pid : 0)));
  return found.filter((pid) => pid > 0);
}

async function belongs(pid: number, uid: number | undefined, marker: string): Promise<boolean> {
  try {
    // Zombies belong to nobody any more: they only wait to be reaped.
    const state = await readFile(`/proc/${pid}/stat`, 'utf8');
    if (state.slice(state.lastIndexOf(')') + 2).startsWith('Z')) return false;
    const environment = (await readFile(`/proc/${pid}/environ`, 'utf8')).split('\0');
    const carried = environment.find((entry) => entry.startsWith(`${MARKER}=`));
    // Another server on this machine may have given the same uid to a build of its own.
    if (carried !== undefined || uid === undefined) return carried === `${MARKER}=${marker}`;
    return realUid(await readFile(`/proc/${pid}/status`, 'utf8')) === uid;
  } catch {
    return false;
  }
}

/** `/proc/<pid>` itself belongs to root for processes that may not be dumped; the real uid stands in `status`. */
const realUid = (status: string): number =>
  Number(
    status
      .split('\n')
      .find((line) => line.startsWith('Uid:'))
      ?.split('\t')[1] ?? Number.NaN,
  );

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // Gone already.
  }
}

/** Whether there was anybody to tell. */
function signalGroup(leader: number, name: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-leader, name);
    return true;
  } catch {
    return false;
  }
}
