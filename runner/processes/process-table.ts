import { readdirSync, readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { markerIn } from './build-marker.ts';

/** A process as the kernel tells of it. */
export interface ProcessFacts {
  readonly pid: number;
  readonly parent: number;
  /** Ticks since the machine started. A pid and this together name one process for good. */
  readonly startedAt: number;
  /** It has ended, and only waits for its parent to notice. */
  readonly isZombie: boolean;
}

/** Reading one is much cheaper at once than through the thread pool; after so many other work gets its turn. */
const AT_ONCE = 100;

/** Of x86_64, on which alone ImageBuilders run. */
const PAGE_BYTES = 4096;

/** The processes of the machine, except ours, of which `matches` holds. */
export async function findProcesses(matches: (facts: ProcessFacts) => boolean): Promise<ProcessFacts[]> {
  const found: ProcessFacts[] = [];
  let looked = 0;
  for (const name of await readdir('/proc')) {
    const pid = Number(name);
    if (!(pid > 0) || pid === process.pid) continue;
    if (++looked % AT_ONCE === 0) await nextTurn();
    const facts = processFacts(pid);
    if (facts !== undefined && !facts.isZombie && matches(facts)) found.push(facts);
  }
  return found;
}

/** `undefined`: there is no such process. */
export function processFacts(pid: number): ProcessFacts | undefined {
  const text = read(pid, 'stat');
  // The name of the program stands in brackets and may hold anything, brackets too.
  const [state = '', parent, ...rest] = text.slice(text.lastIndexOf(')') + 2).split(' ');
  if (parent === undefined) return undefined;
  return { pid, parent: Number(parent), startedAt: Number(rest[17]), isZombie: state === 'Z' || state === 'X' };
}

/**
 * Kills the process that the facts are of, and no other: its number may be another's since they were read. Nothing else happens
 * between the look at it and the signal.
 */
export function kill({ pid, startedAt }: Pick<ProcessFacts, 'pid' | 'startedAt'>): void {
  if (!(pid > 0) || processFacts(pid)?.startedAt !== startedAt) return;
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone already.
  }
}

/** The build's marker that a process carries in its environment. */
export const markerOfProcess = (pid: number): string | undefined => markerIn(read(pid, 'environ'));

/** Whether a process is in a cgroup whose last name is `name`; names of ours are each given once. */
export const isInCgroup = (pid: number, name: string): boolean =>
  read(pid, 'cgroup')
    .split('\n')
    .some((line) => line.endsWith(`/${name}`));

/** Who a process is, and whether it can become anybody else. */
export function rightsOf(pid: number): { uids: number[]; noNewPrivileges: boolean } {
  const fields = new Map(
    read(pid, 'status')
      .split('\n')
      .map((line) => line.split(':\t', 2) as [string, string]),
  );
  return {
    // Real, effective, saved, and of the file system. `/proc/<pid>` itself is root's for a process that may not be dumped.
    uids: (fields.get('Uid') ?? '').split('\t').filter(Boolean).map(Number),
    noNewPrivileges: fields.get('NoNewPrivs') === '1',
  };
}

/** Whether any process has one of its uids so. */
export const hasProcesses = async (uid: number): Promise<boolean> =>
  (await findProcesses(({ pid }) => rightsOf(pid).uids.includes(uid))).length > 0;

/** Children of a process, as they are at this moment. */
export function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      read(pid, `task/${thread}/children`).split(' ').filter(Boolean).map(Number),
    );
  } catch {
    return [];
  }
}

/**
 * Bytes of memory that a process has for itself, what it shares counted in parts where the kernel tells us; `atMost` says it with
 * all that it shares, and costs little.
 */
export const memoryOf = (pid: number): { atMost: number; exactly: () => number } => {
  const atMost = Number(read(pid, 'statm').split(' ')[1] ?? 0) * PAGE_BYTES;
  return { atMost, exactly: () => Number(/^Pss:\s+(\d+) kB$/m.exec(read(pid, 'smaps_rollup'))?.[1] ?? atMost / 1024) * 1024 };
};

/** Empty when the process has gone or is not ours to look at. */
function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
