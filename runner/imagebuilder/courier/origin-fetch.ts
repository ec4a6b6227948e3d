import { FetchFailure, fetchListed, type ListedFetch } from './fetch-listed.ts';

/**
 * Fetches listed files, and remembers which servers do not answer. When a server hangs, the build spends all attempts on
 * its first file only.
 */
export interface OriginFetch {
  /** Returns the bytes at a URL, at most `maxBytes`. Throws `FetchFailure`, or the signal's reason. */
  get(url: string, maxBytes: number): Promise<Buffer>;
  /** Gives every server all its attempts again. */
  forgive(): void;
}

/**
 * The number of files that a server may fail to deliver before it is asked for no other. After the first one, each file
 * gets a single attempt: the fault may be that of one file.
 */
const MAX_FAILURES = 4;

export function originFetch(options: ListedFetch): OriginFetch {
  const failures = new Map<string, number>();
  return {
    get: async (url, maxBytes) => {
      const { origin } = new URL(url);
      const before = failures.get(origin) ?? 0;
      if (before >= MAX_FAILURES) throw new FetchFailure(`${origin} has failed to deliver ${before} other files`, 4);
      try {
        return await fetchListed(url, maxBytes, before === 0 ? options : { ...options, attempts: 1 });
      } catch (error) {
        if (error instanceof FetchFailure && error.code === 4) failures.set(origin, (failures.get(origin) ?? 0) + 1);
        throw error;
      }
    },
    forgive: () => failures.clear(),
  };
}
