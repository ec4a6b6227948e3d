import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isInCgroup, kill, processFacts } from '#runner/processes/process-table.ts';
import { type OwnCgroup, ownCgroups, readText } from './own-cgroups.ts';

/** The kernel's limit on the memory of all processes of a command together, including files in memory. */
export interface Cgroup {
  /**
   * The arguments to put before a command: the process enters the cgroup, which it may still do, and then becomes the
   * command.
   */
  readonly enter: readonly string[];
  /** Ends every process in the cgroup. */
  end(): Promise<void>;
  /** Returns whether a process was ended because there was no more memory for it. */
  ranOut(): Promise<boolean>;
  /** Removes the cgroup. Call it when no process is left. */
  remove(): Promise<void>;
}

export interface Cgroups {
  readonly version: 1 | 2;
  /** Creates a cgroup that no process in it can leave. Names begin with the name of the build. */
  create(name: string, memoryBytes: number): Promise<Cgroup>;
  /** Ends and removes the cgroups for which `isLeftover` holds. */
  sweep(isLeftover: (name: string) => boolean | Promise<boolean>): Promise<void>;
}

/** The prefix of our names. */
const PREFIX = 'asu-';

/** The shell script that writes the process id into the cgroup and then becomes the command. */
const ENTER = 'echo $$ > "$0" && exec "$@"';

/** The number of rounds of killing. One round is not enough for a fork bomb, which starts new processes meanwhile. */
const ROUNDS = 200;

/**
 * Returns cgroups below our own that limit memory, of the version that supports it here; `undefined` when we cannot
 * create any.
 */
export async function findCgroups(): Promise<Cgroups | undefined> {
  for (const place of await ownCgroups('memory'))
    if (await works(place)) return place.version === 2 ? cgroups(place, LIMITS_2, ranOut2) : cgroups(place, LIMITS_1, ranOut1);
  return undefined;
}

type Place = Omit<OwnCgroup, 'top'>;

type Limits = (memoryBytes: number) => readonly (readonly [file: string, value: string, optional?: true])[];

/** The limits in version 1. Swap is limited too, because it would only delay the end. */
const LIMITS_1: Limits = (bytes) => [
  ['memory.limit_in_bytes', String(bytes)],
  ['memory.memsw.limit_in_bytes', String(bytes), true],
];

/** The limits in version 2. If one process must end, all of them end: the rest of a build is of no use. */
const LIMITS_2: Limits = (bytes) => [
  ['memory.max', String(bytes)],
  ['memory.swap.max', '0', true],
  ['memory.oom.group', '1', true],
];

const ranOut1 = async (directory: string) => /^oom_kill [1-9]/m.test(await readText(join(directory, 'memory.oom_control')));
const ranOut2 = async (directory: string) => /^oom_kill [1-9]/m.test(await readText(join(directory, 'memory.events')));

function cgroups({ version, directory: own }: Place, limits: Limits, ranOut: (directory: string) => Promise<boolean>): Cgroups {
  const at = (directory: string): Cgroup => ({
    enter: ['/bin/sh', '-c', ENTER, join(directory, 'cgroup.procs')],
    end: () => endAll(directory),
    ranOut: () => ranOut(directory),
    remove: () => remove(directory),
  });
  return {
    version,
    create: async (name, memoryBytes) => {
      const directory = join(own, `${PREFIX}${name}`);
      await mkdir(directory);
      for (const [file, value, optional] of limits(memoryBytes))
        await writeFile(join(directory, file), value).catch((error: unknown) => {
          if (!optional) throw error;
        });
      return at(directory);
    },
    sweep: async (isLeftover) => {
      for (const entry of await readdir(own).catch(() => []))
        if (entry.startsWith(PREFIX) && (await isLeftover(entry.slice(PREFIX.length)))) {
          await endAll(join(own, entry));
          await remove(join(own, entry)).catch(() => undefined);
        }
    },
  };
}

/** Returns whether a cgroup can be created there; it creates one and removes it. */
async function works(place: Place): Promise<boolean> {
  const { directory, version } = place;
  try {
    if (version === 2) await shareMemory(directory);
    const probe = await cgroups(place, version === 2 ? LIMITS_2 : LIMITS_1, ranOut1).create(
      `probe.${process.pid}.${randomUUID()}`,
      64 * 1024 ** 2,
    );
    await probe.remove();
    return true;
  } catch {
    return false;
  }
}

/**
 * Enables memory limits for cgroups below ours. Version 2 allows that only when no process is in ours itself, so we
 * move down ourselves if we are the only process there: in a systemd service with `Delegate=yes`, or in a container. It
 * moves no other process.
 */
async function shareMemory(own: string): Promise<void> {
  const enable = () => writeFile(join(own, 'cgroup.subtree_control'), '+memory');
  if (!(await readFile(join(own, 'cgroup.controllers'), 'utf8')).split(/\s+/).includes('memory')) throw new Error('no memory controller');
  if ((await readFile(join(own, 'cgroup.subtree_control'), 'utf8')).split(/\s+/).includes('memory')) return;
  const inside = (await readFile(join(own, 'cgroup.procs'), 'utf8')).split('\n').filter(Boolean);
  if (inside.length === 1 && inside[0] === String(process.pid)) {
    const server = join(own, `${PREFIX}server`);
    await mkdir(server, { recursive: true });
    await writeFile(join(server, 'cgroup.procs'), String(process.pid));
  }
  await enable();
}

async function endAll(directory: string): Promise<void> {
  // `cgroup.kill` exists since Linux 5.14, in version 2 only.
  await writeFile(join(directory, 'cgroup.kill'), '1', { flag: 'r+' }).catch(() => undefined);
  for (let round = 0; round < ROUNDS; round++) {
    const pids = pidsIn(await readText(join(directory, 'cgroup.procs')));
    if (pids.length === 0) return;
    for (const pid of pids) {
      const facts = processFacts(pid);
      // Another process may have got the id since the list was read.
      if (facts !== undefined && isInCgroup(pid, basename(directory))) kill(facts);
    }
    await sleep(Math.min(2 * round, 50));
  }
}

/**
 * Returns the processes of a `cgroup.procs`. The kernel writes 0 for a process without an id in our pid namespace. As
 * the target of a signal 0 means our own process group, and a negative number means a group, too.
 */
export const pidsIn = (procs: string): number[] =>
  procs
    .split('\n')
    .map(Number)
    .filter((pid) => Number.isSafeInteger(pid) && pid > 0);

/** Removes a cgroup. The kernel counts a process as inside for a moment after it has ended. */
async function remove(directory: string): Promise<void> {
  for (let round = 0; ; round++) {
    try {
      return await rmdir(directory);
    } catch (error) {
      if (round === 20) throw error;
      await sleep(10);
    }
  }
}
