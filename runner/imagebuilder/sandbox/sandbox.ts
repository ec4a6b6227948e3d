import type { Leftover } from '#runner/files/disposal.ts';
import { MARKER } from '#runner/processes/build-marker.ts';
import type { Slots } from '../slots.ts';
import type { Cgroups } from './cgroups.ts';

/**
 * How far a build is kept from the machine, strongest first (docs/deployments.md, Security):
 * `bwrap` own view of the files, own processes, network only when given; `unshare` another uid, own processes, network
 * only when given; `uid` another uid without capabilities; `plain` our own uid with limits.
 */
export const SANDBOX_LEVELS = ['bwrap', 'unshare', 'uid', 'plain'] as const;
export type SandboxLevel = (typeof SANDBOX_LEVELS)[number];

/** What one command of a build may use of the machine. Upper bounds: a lower hard limit of the process wins. */
export interface ResourceLimits {
  readonly cpuSeconds: number;
  /** Of one file. x86 writes raw images as large as the partition: at least 1.2 GiB. */
  readonly fileBytes: number;
  /** Counted per uid, so it also bounds a fork bomb. Not enforced for root. */
  readonly processes: number;
  /** Open files of one process. */
  readonly openFiles: number;
  /** Data segment of one process. */
  readonly memoryBytes: number;
  /** All processes of the command together, and what they keep in `/tmp` where that is memory. */
  readonly totalMemoryBytes: number;
  /** What a build may keep in a `/tmp` of its own, which is memory. */
  readonly tmpBytes: number;
}

/** Figures that leave room for every real build. */
export const DEFAULT_LIMITS: ResourceLimits = {
  cpuSeconds: 3600,
  fileBytes: 4 * 1024 ** 3,
  processes: 2048,
  openFiles: 4096,
  memoryBytes: 4 * 1024 ** 3,
  totalMemoryBytes: 4 * 1024 ** 3,
  tmpBytes: 512 * 1024 ** 2,
};

/** What bounds the memory of a command's processes together. */
export interface MemoryBound {
  readonly bytes: number;
  /** Where there are none the memory is looked at now and then, and the command ended when it is too much. */
  readonly cgroups: Cgroups | undefined;
}

/** Where a build lives on the host, and what of it may not be written. */
export interface BuildPlace {
  /** The build's own ImageBuilder tree. */
  readonly tree: string;
  /** Read-only parts, as `path in the tree → directory on the host`. */
  readonly readOnly: Readonly<Record<string, string>>;
  /** Distinguishes builds running at once; gives each a uid of its own where there is one to give. */
  readonly slot: number;
}

/** A command ready for `runCommand`. */
export interface ConfinedCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Names the build among all processes of the machine; stands in the environment of each of its processes. */
  readonly marker: string;
  /** All processes of the command live in a pid namespace whose first process is the command's child. */
  readonly hasPidNamespace: boolean;
  /** The uid of the command's processes, which no other build of the machine has meanwhile. */
  readonly uid: number | undefined;
  readonly memory: MemoryBound;
}

export interface Sandbox {
  readonly level: SandboxLevel;
  /** Network can be taken from a build, and no process outlives it. */
  readonly hasNamespaces: boolean;
  /** Whether code from anywhere may run in it: package scripts of custom repositories are exactly that. */
  readonly allowsCustomRepositories: boolean;
  /** Builds have a `/tmp` of their own, gone with each command; else theirs is in their tree, and they can write to the machine's. */
  readonly hasOwnTmp: boolean;
  readonly memory: MemoryBound;
  /** Read-only parts are mounted over the build's tree, so nothing need be there. */
  readonly mountsReadOnlyParts: boolean;
  /** Slots for builds running at once. */
  readonly slots: Slots;
  /** Who owns the files of the build in this slot; `undefined`: we do. */
  uidOf(slot: number): number | undefined;
  /**
   * Paths of what the build in this slot has outside of its tree and of a `/tmp` of its own, as far as that can be told: at the top of
   * the places where anybody may leave files, by its uid.
   */
  outside(slot: number): Promise<readonly string[]>;
  /** Removes what `outside` has, for a bounded time, and answers what is left of it. Call it when the build is over; it never rejects. */
  leave(slot: number): Promise<readonly Leftover[]>;
  /** Path of the build's tree as its commands see it. */
  treeInside(place: BuildPlace): string;
  confine(
    argv: readonly string[],
    place: BuildPlace,
    options: { network: boolean; marker: string; env?: Readonly<Record<string, string>> },
  ): ConfinedCommand;
}

/** Where ImageBuilder's host tools are looked for: never the server's own PATH. */
export const TOOL_PATH = '/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin';

/** All that a build sees of an environment. `FAKEROOTDONTTRYCHOWN`: apk's ImageBuilders need it in a user namespace. */
export const buildEnvironment = (home: string, marker: string): Record<string, string> => ({
  [MARKER]: marker,
  PATH: TOOL_PATH,
  HOME: home,
  LC_ALL: 'C',
  FAKEROOTDONTTRYCHOWN: '1',
});
