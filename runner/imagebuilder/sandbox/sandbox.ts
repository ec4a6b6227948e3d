import type { Leftover } from '#runner/files/disposal.ts';
import { MARKER } from '#runner/processes/build-marker.ts';
import type { Slots } from '../slots.ts';
import type { Cgroups } from './cgroups.ts';

/**
 * The levels of isolation, strongest first (docs/deployments.md, Security). `bwrap`: own view of the files, own
 * processes, network only when given. `unshare`: another uid, own processes, network only when given. `uid`: another
 * uid without capabilities. `plain`: our own uid with limits.
 */
export const SANDBOX_LEVELS = ['bwrap', 'unshare', 'uid', 'plain'] as const;
export type SandboxLevel = (typeof SANDBOX_LEVELS)[number];

/** The upper bounds on what one command of a build may use. A lower hard limit of the process wins. */
export interface ResourceLimits {
  readonly cpuSeconds: number;
  /** The size of one file. x86 writes raw images as large as the partition: at least 1.2 GiB. */
  readonly fileBytes: number;
  /** The number of processes, counted per uid, so that it also limits a fork bomb. It is not enforced for root. */
  readonly processes: number;
  /** The number of open files of one process. */
  readonly openFiles: number;
  /** The data segment of one process. */
  readonly memoryBytes: number;
  /** The memory of all processes of the command together, and of files in `/tmp` where that is memory. */
  readonly totalMemoryBytes: number;
  /** The space in a build's own `/tmp`, which is memory. */
  readonly tmpBytes: number;
}

/** The default limits, which leave room for every real build. */
export const DEFAULT_LIMITS: ResourceLimits = {
  cpuSeconds: 3600,
  fileBytes: 4 * 1024 ** 3,
  processes: 2048,
  openFiles: 4096,
  memoryBytes: 4 * 1024 ** 3,
  totalMemoryBytes: 4 * 1024 ** 3,
  tmpBytes: 512 * 1024 ** 2,
};

/** The limit on the memory of a command's processes together. */
export interface MemoryBound {
  readonly bytes: number;
  /**
   * The cgroups that enforce it. Without them the memory is checked at intervals, and the command is ended when it
   * takes too much.
   */
  readonly cgroups: Cgroups | undefined;
}

/** The place of a build on the host, and its read-only parts. */
export interface BuildPlace {
  /** The build's own ImageBuilder tree. */
  readonly tree: string;
  /** The read-only parts, as `path in the tree → directory on the host`. */
  readonly readOnly: Readonly<Record<string, string>>;
  /** The slot, which no other running build has. It selects the build's uid where the sandbox has uids. */
  readonly slot: number;
}

/** A command that is ready for `runCommand`. */
export interface ConfinedCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** The marker that identifies the build on this machine. It is in the environment of each of its processes. */
  readonly marker: string;
  /** Whether all processes of the command live in a pid namespace whose first process is the command's child. */
  readonly hasPidNamespace: boolean;
  /** The uid of the command's processes. No other build on the machine has it meanwhile. */
  readonly uid: number | undefined;
  readonly memory: MemoryBound;
}

export interface Sandbox {
  readonly level: SandboxLevel;
  /** Whether builds can run without network, and no process outlives them. */
  readonly hasNamespaces: boolean;
  /** Whether the sandbox may run code from any source, such as package scripts of custom repositories. */
  readonly allowsCustomRepositories: boolean;
  /**
   * Whether builds have their own `/tmp`, which each command removes when it ends. Otherwise it is in their tree, and
   * they can write to the machine's.
   */
  readonly hasOwnTmp: boolean;
  readonly memory: MemoryBound;
  /** Whether read-only parts are mounted over the build's tree, so that they need not exist there. */
  readonly mountsReadOnlyParts: boolean;
  /** The slots for builds that run at once. */
  readonly slots: Slots;
  /** Returns the owner of the files of the build in this slot; `undefined` stands for the server's own user. */
  uidOf(slot: number): number | undefined;
  /**
   * Returns the paths that the build in this slot has outside of its tree and of its own `/tmp`, as far as they can be
   * found: entries of its uid at the top of the places where every user may leave files.
   */
  outside(slot: number): Promise<readonly string[]>;
  /**
   * Removes the files of `outside`, for a bounded time, and returns what is left. Call it when the build is over; it
   * never rejects.
   */
  leave(slot: number): Promise<readonly Leftover[]>;
  /** Returns the path of the build's tree as its commands see it. */
  treeInside(place: BuildPlace): string;
  /** Returns the command as it runs in the sandbox: without network where there are namespaces. */
  confine(argv: readonly string[], place: BuildPlace, options: { marker: string; env?: Readonly<Record<string, string>> }): ConfinedCommand;
}

/** The path in which ImageBuilder's host tools are searched, instead of the server's own PATH. */
export const TOOL_PATH = '/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin';

/** Returns the whole environment of a build. apk's ImageBuilders need `FAKEROOTDONTTRYCHOWN` in a user namespace. */
export const buildEnvironment = (home: string, marker: string): Record<string, string> => ({
  [MARKER]: marker,
  PATH: TOOL_PATH,
  HOME: home,
  LC_ALL: 'C',
  FAKEROOTDONTTRYCHOWN: '1',
});
