import type { Distro } from '#core/catalogue/distro.ts';
import type { Leftover } from '#runner/files/disposal.ts';
import type { UsignPublicKey } from '#runner/signing/usign.ts';
import type { VerifyMode } from './download/upstream-sums.ts';
import type { OutputLimits } from './output/output-limits.ts';
import type { ResourceLimits, SandboxLevel } from './sandbox/sandbox.ts';

/**
 * The options that the composition root sets. Directories are absolute and on one file system, and no other program
 * writes below them.
 */
export interface ImagebuilderMakerOptions {
  /**
   * The base URL of upstream, without a slash at the end. It replaces downloads.openwrt.org in the ImageBuilders'
   * repositories, too.
   */
  readonly upstreamUrl: string;
  /** The directory of unpacked ImageBuilders and packages, which is kept across restarts. */
  readonly cacheDirectory: string;
  /** The directory of builds in progress. Leftovers are removed from it at the start. */
  readonly workDirectory: string;
  /** The directory of the server's signing keys, which are generated on the first start. */
  readonly keyDirectory: string;
  /** The limit on all unpacked ImageBuilders and downloaded packages together. What builds use may exceed it. */
  readonly cacheBytes?: number;
  readonly verify?: VerifyMode;
  /** Keys that count as known in addition to OpenWrt's own (`knownUpstreamKeys`). */
  readonly keys?: readonly UsignPublicKey[];
  /** The distributions besides OpenWrt. Each has an upstream and keys of its own. */
  readonly distros?: readonly Distro[];
  /** The time limit on all make runs of a build together. */
  readonly timeoutMs?: number;
  /** The amount that a build may print before it is ended. */
  readonly maxOutputBytes?: number;
  readonly limits?: Partial<ResourceLimits>;
  /** The disk space that a build's files may take while it runs. */
  readonly maxDiskBytes?: number;
  /** The limits on the output of a build. */
  readonly outputLimits?: OutputLimits;
  /** The processors that builds share; the default is what this process may use. */
  readonly processors?: number;
  /** The sandbox to use; the default is the strongest one that works on this machine. */
  readonly sandbox?: SandboxLevel;
  /** The first of the 800 uids from which each build gets one when we are root. */
  readonly firstUid?: number;
  /**
   * The number of attempts at each download; the default is higher for packages and indexes. `downloadBackoffMs` is the
   * first pause between them.
   */
  readonly downloadAttempts?: number;
  readonly downloadBackoffMs?: number;
  /** The time without data after which a download starts over; the default is shorter for packages and indexes. */
  readonly stallMs?: number;
  /** The time for which a check of `sha256sums` stays valid when the ImageBuilder is in the cache. */
  readonly recheckMs?: number;
  readonly fetch?: typeof fetch;
  /** The function for requests to other hosts, to which a repository redirects. It connects to public addresses only. */
  readonly fetchPublicly?: typeof fetch;
  /** Called when something that a build left behind could not be removed and was set aside. */
  readonly onLeftover?: (leftover: Leftover) => void;
  /** Called after each further attempt that could not remove everything set aside, with the number of things left. */
  readonly onStillLeft?: (count: number) => void;
}

/**
 * The limits on each download of a package or an index, for which make waits. One that stalls each time costs a build 75
 * seconds, with the pauses between the attempts.
 */
export const PACKAGE_DOWNLOADS = { attempts: 6, stallMs: 10_000 } as const;

const GiB = 1024 ** 3;

/** The job_timeout of the reference server. */
const TEN_MINUTES_MS = 600_000;

export const DEFAULTS = {
  cacheBytes: 20 * GiB,
  verify: 'known',
  keys: [],
  timeoutMs: TEN_MINUTES_MS,
  // A real build prints less than one megabyte.
  maxOutputBytes: 8 * 1024 * 1024,
  // A copy of the ImageBuilder and at most eight raw images of x86 with a root file system of 1 GiB take half of it.
  maxDiskBytes: 16 * GiB,
  // These uids are below 60000, where systemd's dynamic users begin, and above those that useradd assigns on ordinary
  // machines.
  firstUid: 59_100,
  downloadAttempts: 5,
  downloadBackoffMs: 500,
  stallMs: 30_000,
  recheckMs: 60_000,
} as const satisfies Partial<ImagebuilderMakerOptions>;
