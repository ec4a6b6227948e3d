import { readdirSync, readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { markerIn } from './build-marker.ts';

/** A process as the kernel describes it. */
export interface ProcessFacts {
  readonly pid: number;
  readonly parent: number;
  /** The start time in ticks since the machine started. It identifies a process for good together with the pid. */
  readonly startedAt: number;
  /** Whether the process has ended and only waits for its parent to notice. */
  readonly isZombie: boolean;
}

/**
 * The number of processes after which other work gets a turn. A synchronous read is much cheaper than one through the
 * thread pool.
 */
const AT_ONCE = 100;

/** The page size of x86_64, the only architecture on which ImageBuilders run. */
const PAGE_BYTES = 4096;

/** Returns the machine's processes for which `matches` holds, without this one. */
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

/** Returns the facts of a process, or `undefined` when it does not exist. */
export function processFacts(pid: number): ProcessFacts | undefined {
  const text = read(pid, 'stat');
  // The program's name is in brackets and may contain anything, even brackets.
  const [state = '', parent, ...rest] = text.slice(text.lastIndexOf(')') + 2).split(' ');
  if (parent === undefined) return undefined;
  return { pid, parent: Number(parent), startedAt: Number(rest[17]), isZombie: state === 'Z' || state === 'X' };
}

/**
 * Kills the process that the facts describe and no other: its id may have been reused since they were read. Nothing
 * else runs between the check and the signal.
 */
export function kill({ pid, startedAt }: Pick<ProcessFacts, 'pid' | 'startedAt'>): void {
  if (!(pid > 0) || processFacts(pid)?.startedAt !== startedAt) return;
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // The process has ended already.
  }
}

/** Returns the build's marker in the environment of a process. */
export const markerOfProcess = (pid: number): string | undefined => markerIn(read(pid, 'environ'));

/** Returns whether a process is in a cgroup whose last path segment is `name`. The server gives each name once. */
export const isInCgroup = (pid: number, name: string): boolean =>
  read(pid, 'cgroup')
    .split('\n')
    .some((line) => line.endsWith(`/${name}`));

/** Returns the uids of a process, and whether it can gain no others. */
export function rightsOf(pid: number): { uids: number[]; noNewPrivileges: boolean } {
  const fields = new Map(
    read(pid, 'status')
      .split('\n')
      .map((line) => line.split(':\t', 2) as [string, string]),
  );
  return {
    // The uids are the real, effective, saved and file system ones. The owner of `/proc/<pid>` itself is root when the
    // process may not be dumped.
    uids: (fields.get('Uid') ?? '').split('\t').filter(Boolean).map(Number),
    noNewPrivileges: fields.get('NoNewPrivs') === '1',
  };
}

/** Returns whether any process has this uid as one of its uids. */
export const hasProcesses = async (uid: number): Promise<boolean> =>
  (await findProcesses(({ pid }) => rightsOf(pid).uids.includes(uid))).length > 0;

/** Returns the children of a process at this moment. */
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
 * Returns the memory of a process in bytes. `atMost` counts shared memory in full and is cheap; `exactly` counts only
 * its share of shared memory, where the kernel reports it.
 */
export const memoryOf = (pid: number): { atMost: number; exactly: () => number } => {
  const atMost = Number(read(pid, 'statm').split(' ')[1] ?? 0) * PAGE_BYTES;
  return { atMost, exactly: () => Number(/^Pss:\s+(\d+) kB$/m.exec(read(pid, 'smaps_rollup'))?.[1] ?? atMost / 1024) * 1024 };
};

/** Returns an empty text when the process has ended or may not be inspected. */
function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
