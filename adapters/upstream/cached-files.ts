import { createHash } from 'node:crypto';
import { boundedMap } from '#core/bounded-map.ts';
import { single } from './single.ts';
import { type UpstreamClient, UpstreamFailure, type Validators } from './upstream-client.ts';

/** A file of upstream, parsed, with the digest of its bytes. */
interface UpstreamFile<T> {
  readonly value: T;
  /** Lower-case hex SHA-256 of the bytes as served. */
  readonly digest: string;
}

export interface CachedFiles {
  /**
   * The file as it is now, `undefined` when upstream does not have it. Throws what `parse` throws, and then the earlier copy is kept;
   * one path always has one `parse`. `reload` asks for the whole file, past caches on the way.
   */
  read<T>(path: string, parse: (bytes: Uint8Array) => T, options?: { reload?: boolean }): Promise<UpstreamFile<T> | undefined>;
}

interface Kept extends UpstreamFile<unknown> {
  readonly size: number;
  readonly validators: Validators;
}

/** Parsed files, weighed by what was downloaded: enough for the indexes of some architectures. */
const MAX_KEPT_BYTES = 24 * 1024 * 1024;

/** Whatever is kept weighs something, empty files too. */
const LEAST_WEIGHT = 512;

/** Remembers what was parsed, so that asking again is a conditional request; one request at a time for each path. */
export function cachedFiles(client: UpstreamClient): CachedFiles {
  const kept = boundedMap<Kept>(MAX_KEPT_BYTES, ({ size }) => size + LEAST_WEIGHT);
  const flights = new Map<string, Promise<Kept | undefined>>();

  async function load(path: string, parse: (bytes: Uint8Array) => unknown, reload: boolean): Promise<Kept | undefined> {
    const earlier = kept.get(path);
    const answer = await client.get(path, { validators: reload ? undefined : earlier?.validators, reload });
    if (answer.kind === 'unchanged') {
      if (earlier === undefined) throw new UpstreamFailure(path, 'upstream calls it unchanged, but it was never read', false);
      return earlier;
    }
    if (answer.kind === 'missing') {
      kept.delete(path);
      return undefined;
    }
    const { bytes, validators } = answer;
    const digest = createHash('sha256').update(bytes).digest('hex');
    const file: Kept =
      earlier?.digest === digest ? { ...earlier, validators } : { value: parse(bytes), digest, validators, size: bytes.length };
    kept.set(path, file);
    return file;
  }

  return {
    read<T>(path: string, parse: (bytes: Uint8Array) => T, { reload = false } = {}) {
      return single(flights, `${reload} ${path}`, () => load(path, parse, reload)) as Promise<UpstreamFile<T> | undefined>;
    },
  };
}
