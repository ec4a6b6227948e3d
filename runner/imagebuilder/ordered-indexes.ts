import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { IndexDigests } from '#core/catalogue.ts';
import type { IndexesRead } from './used-indexes.ts';

/** How the indexes that a build read stand to those that its request hash was made over. */
interface IndexComparison {
  /** Sources that are the very ones. */
  readonly same: ReadonlySet<string>;
  /** Sources that upstream has changed since. */
  readonly moved: readonly string[];
  /** Sources of which that could not be told. */
  readonly unknown: readonly string[];
  /** Sources that the hash was made over and the build went without. */
  readonly lacking: readonly string[];
}

export interface OrderedIndexes {
  /** Starts finding out what `compare` will need; takes as long as the downloads it takes, and never rejects. */
  learn(ordered: IndexDigests, signal: AbortSignal): Promise<void>;
  compare(ordered: IndexDigests, read: IndexesRead): IndexComparison;
}

const PACKED = '.gz';
const TIMEOUT_MS = 30_000;
const MAX_UNPACKED = 256 * 1024 * 1024;
/** Digests remembered; an index has one for as long as it stays as it is. */
const MAX_KNOWN = 2_000;

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const unpack = promisify(gunzip);

/**
 * Orders give the digest of `Packages.gz`, opkg leaves `Packages`: which belongs to which is learnt from upstream, once for
 * each index. apk keeps `packages.adb` as it is.
 */
export function orderedIndexes({ upstreamUrl, fetch }: { upstreamUrl: string; fetch: typeof globalThis.fetch }): OrderedIndexes {
  /** Digest of the packed index → digest of what is in it; `null`: upstream no longer has it. */
  const unpacked = new Map<string, string | null>();

  const learnOne = async (path: string, digest: string, signal: AbortSignal): Promise<void> => {
    try {
      const response = await fetch(`${upstreamUrl}/${path}`, {
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
        headers: { 'accept-encoding': 'identity' },
      });
      if (response.status !== 200) return void (await response.body?.cancel());
      const bytes = new Uint8Array(await response.arrayBuffer());
      const isThere = sha256(bytes) === digest;
      const content = isThere ? sha256(await unpack(bytes, { maxOutputLength: MAX_UNPACKED })) : null;
      if (unpacked.size >= MAX_KNOWN) unpacked.clear();
      unpacked.set(digest, content);
    } catch {
      // Then it is not known: a build does not fail for it.
    }
  };

  return {
    learn: async (ordered, signal) => {
      const wanted = Object.entries(ordered).filter(([path, digest]) => path.endsWith(PACKED) && !unpacked.get(digest));
      await Promise.all(wanted.map(([path, digest]) => learnOne(path, digest, signal)));
    },
    compare: (ordered, { used, absent }) => {
      const same = new Set<string>();
      const moved: string[] = [];
      const unknown: string[] = [];
      for (const { source, sha256: digest } of used) {
        const packed = ordered[`${source}${PACKED}`];
        const expected = ordered[source] ?? (packed === undefined ? undefined : unpacked.get(packed));
        if (expected === undefined) unknown.push(source);
        else if (expected === digest) same.add(source);
        else moved.push(source);
      }
      // Where not one was found, they lie where nobody looks: that says nothing of the build.
      const lacking = used.length === 0 ? [] : absent.filter((source) => (ordered[source] ?? ordered[`${source}${PACKED}`]) !== undefined);
      return { same, moved, unknown, lacking };
    },
  };
}
