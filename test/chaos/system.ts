/** The server under test, whose processes a run stops and starts. */
export interface System {
  /** The address of the server, or of its gateway. */
  readonly url: string;
  start(): Promise<void>;
  /** Kills one process with SIGKILL. `pick` chooses it, as a fraction of their number. Returns its name. */
  kill(pick: number): Promise<string>;
  /** Stops one process with SIGTERM, and returns its name and what is wrong with how it ended. */
  terminate(pick: number): Promise<{ name: string; faults: string[] }>;
  /** Starts again what was stopped. With `killAfterMs` it is killed while it starts, and started once more. */
  restart(options?: { emptiesCache?: boolean; killAfterMs?: number }): Promise<void>;
  /** Stops everything that builds, and returns what is wrong with how it ended. */
  stopBuilding(): Promise<string[]>;
  /** Returns what is wrong with what is stored, given when processes were stopped. Called while nothing builds. */
  checkStored(stops: readonly number[]): Promise<StoredFault[]>;
  /** Ends every process. */
  close(): Promise<void>;
}

/** Something that is wrong with what is stored. */
export interface StoredFault {
  readonly promise: string;
  readonly hash?: string | undefined;
  readonly text: string;
}

/** What a system calls while it runs. */
export interface SystemHooks {
  /** Called with each line of the log of any process. */
  readonly onLine: (line: string) => void;
}

/** Times that are short enough for a run of a minute, and settings that let everything happen in it. */
export const CHAOS_SETTINGS = {
  LEASE: '5',
  RETRY_DELAYS: '1',
  REBUILD_PAUSE: '1s',
  SWEEP_EVERY: '1',
  WORKER_CONCURRENT: '4',
  BUILD_TTL: '7d',
  BUILD_TTL_UNVERSIONED: '25s',
  BUILD_DEFAULTS_TTL: '15s',
  BUILD_FAILURE_TTL: '20s',
  ALLOW_DEFAULTS: '1',
  LOG_LEVEL: 'debug',
} as const;

/** The shortest of the lives above. */
export const SHORTEST_LIFE_MS = 15_000;
