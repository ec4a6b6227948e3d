import type { Leftover } from '#runner/files/disposal.ts';
import type { UsignPublicKey } from '#runner/signing/usign.ts';
import type { VerifyMode } from './download/upstream-sums.ts';
import type { OutputLimits } from './output/output-limits.ts';
import type { ResourceLimits, SandboxLevel } from './sandbox/sandbox.ts';

/** What the composition root decides. Directories are absolute and on one file system; nobody else writes below them. */
export interface ImagebuilderMakerOptions {
  /** Without a slash at the end. Replaces downloads.openwrt.org in the ImageBuilders' repositories too. */
  readonly upstreamUrl: string;
  /** Unpacked ImageBuilders and packages; kept across restarts. */
  readonly cacheDirectory: string;
  /** Builds under way; emptied of leftovers at start. */
  readonly workDirectory: string;
  /** The server's signing keys, generated on first start. */
  readonly keyDirectory: string;
  /** Bound of the unpacked ImageBuilders together; those in use do not count. */
  readonly cacheBytes?: number;
  /** Bound of the downloaded packages together. */
  readonly packageCacheBytes?: number;
  readonly verify?: VerifyMode;
  /** Keys that count as known, besides OpenWrt's own (`knownUpstreamKeys`). */
  readonly keys?: readonly UsignPublicKey[];
  /** For all make runs of a build together. */
  readonly timeoutMs?: number;
  /** What a build may print before it is ended. */
  readonly maxOutputBytes?: number;
  readonly limits?: Partial<ResourceLimits>;
  /** What a build's files may take on the disk while it runs. */
  readonly maxDiskBytes?: number;
  /** What a build may leave. */
  readonly outputLimits?: OutputLimits;
  /** Default: the strongest that works on this machine. */
  readonly sandbox?: SandboxLevel;
  /** First of the 800 uids of which builds get one each when we are root. */
  readonly firstUid?: number;
  /** How often a download is tried, and the first pause between. */
  readonly downloadAttempts?: number;
  readonly downloadBackoffMs?: number;
  /** A download on which nothing comes for so long is begun anew. */
  readonly stallMs?: number;
  /** For how long a look at `sha256sums` counts when the ImageBuilder is in the cache already. */
  readonly recheckMs?: number;
  readonly fetch?: typeof fetch;
  /** Called when something that a build left could not be removed and was set aside. */
  readonly onLeftover?: (leftover: Leftover) => void;
  /** Called after each new attempt to remove what was set aside that left something, with how many things that is. */
  readonly onStillLeft?: (count: number) => void;
}

const GiB = 1024 ** 3;

/** job_timeout of the reference server. */
const TEN_MINUTES_MS = 600_000;

export const DEFAULTS = {
  cacheBytes: 20 * GiB,
  packageCacheBytes: 5 * GiB,
  verify: 'known',
  keys: [],
  timeoutMs: TEN_MINUTES_MS,
  // A real build prints below one megabyte.
  maxOutputBytes: 8 * 1024 * 1024,
  // A copy of the ImageBuilder, and x86's raw images of a root file system of 1 GiB, eight at most: half of it.
  maxDiskBytes: 16 * GiB,
  // Below 60000, where systemd's dynamic users begin, and above what useradd hands out on any ordinary machine.
  firstUid: 59_100,
  downloadAttempts: 5,
  downloadBackoffMs: 500,
  stallMs: 30_000,
  recheckMs: 60_000,
} as const satisfies Partial<ImagebuilderMakerOptions>;
