/** A fault that the demo upstream can simulate. */
export type Fault =
  /** Answers this status with an HTML body. */
  | { kind: 'status'; status: number }
  /** Answers 200 with an HTML page instead of the file, as captive portals and the error pages of caches do. */
  | { kind: 'html' }
  /**
   * Closes the connection after `bytes` (default: half). Without `announced` there is no Content-Length: the body just
   * ends early.
   */
  | { kind: 'truncated'; bytes?: number; announced?: boolean }
  /** Destroys the socket without an answer. */
  | { kind: 'reset' }
  /** Waits for `ms`, then sends no faster than `bytesPerSecond`. */
  | { kind: 'slow'; ms: number; bytesPerSecond?: number }
  /** Sends different bytes of the same length. */
  | { kind: 'wrong-bytes' }
  /** Sends `body` instead of the file. */
  | { kind: 'body'; body: string | Uint8Array; contentType?: string }
  /** Keeps the connection open without an answer until the server closes. */
  | { kind: 'hang' }
  /** Ignores Range and answers 200 with the whole file. */
  | { kind: 'no-range' };

/** The faults of one server. The first fault that matches a path applies. */
export interface Faults {
  /**
   * Adds a fault. A string pattern matches the paths that contain it. `times` limits how often the fault occurs
   * (default: no limit). With `every` it occurs at each so many-th request that matches.
   */
  add(pattern: RegExp | string, fault: Fault, options?: { times?: number; every?: number }): void;
  clear(): void;
}

interface Entry {
  matches: (path: string) => boolean;
  fault: Fault;
  left: number;
  every: number;
  seen: number;
}

/** Returns an empty list of faults. `take` returns the fault that applies to a request and counts it. */
export function faultList(): Faults & { take(path: string): Fault | undefined } {
  let entries: Entry[] = [];
  return {
    add: (pattern, fault, { times = Number.POSITIVE_INFINITY, every = 1 } = {}) => {
      const matches = typeof pattern === 'string' ? (path: string) => path.includes(pattern) : (path: string) => path.search(pattern) >= 0;
      entries.push({ matches, fault, left: times, every, seen: 0 });
    },
    clear: () => {
      entries = [];
    },
    take: (path) => {
      const entry = entries.find((one) => one.left > 0 && one.matches(path) && ++one.seen % one.every === 0);
      if (entry) entry.left -= 1;
      return entry?.fault;
    },
  };
}
