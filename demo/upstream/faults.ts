/** One way in which the demo upstream can go wrong. */
export type Fault =
  /** Answers this status with an HTML body. */
  | { kind: 'status'; status: number }
  /** 200 with an HTML page in the place of the file, as captive portals and error pages of caches do. */
  | { kind: 'html' }
  /** Cuts the connection after `bytes` (default: half). Without `announced`, no length was promised: the body just ends early. */
  | { kind: 'truncated'; bytes?: number; announced?: boolean }
  /** Destroys the socket without an answer. */
  | { kind: 'reset' }
  /** Waits, and then sends no faster than `bytesPerSecond`. */
  | { kind: 'slow'; ms: number; bytesPerSecond?: number }
  /** The right length, other bytes. */
  | { kind: 'wrong-bytes' }
  /** Another body. */
  | { kind: 'body'; body: string | Uint8Array; contentType?: string }
  /** Never answers, until the server closes. */
  | { kind: 'hang' }
  /** Ignores Range: 200 with everything. */
  | { kind: 'no-range' };

/** The faults of one server. The first that matches a path is applied. */
export interface Faults {
  /** A string matches the paths that contain it. `times` is how often it strikes (default: always). */
  add(pattern: RegExp | string, fault: Fault, options?: { times?: number }): void;
  clear(): void;
}

interface Entry {
  matches: (path: string) => boolean;
  fault: Fault;
  left: number;
}

/** Faults, and the taking of the one that a request meets. */
export function faultList(): Faults & { take(path: string): Fault | undefined } {
  let entries: Entry[] = [];
  return {
    add: (pattern, fault, { times = Number.POSITIVE_INFINITY } = {}) => {
      const matches = typeof pattern === 'string' ? (path: string) => path.includes(pattern) : (path: string) => path.search(pattern) >= 0;
      entries.push({ matches, fault, left: times });
    },
    clear: () => {
      entries = [];
    },
    take: (path) => {
      const entry = entries.find(({ matches, left }) => left > 0 && matches(path));
      if (entry) entry.left -= 1;
      return entry?.fault;
    },
  };
}
