import { boundedMap } from '#lib/bounded-map.ts';
import type { Sliced } from '#lib/sliced.ts';
import { gate } from './gate.ts';
import { inSlices } from './in-slices.ts';
import { singleFlight } from './single-flight.ts';
import { type UpstreamClient, UpstreamFailure, type Validators } from './upstream-client.ts';

/** A parsed file of upstream, with the digest of its bytes. */
interface UpstreamFile<T> {
  readonly value: T;
  /** Lower-case hex SHA-256 of the bytes as served. */
  readonly digest: string;
}

/** How one kind of file is read. */
export interface FileFormat<T> {
  /** The size limit. A longer file is not read to its end. */
  readonly maxBytes: number;
  /** Parses the file, in slices. The process parses one file at a time. */
  readonly parse: (bytes: Uint8Array) => Sliced<T> | Promise<Sliced<T>>;
  /** Whether the package solver reads the file besides: then its bytes are kept until they are taken. */
  readonly isSolved?: boolean;
}

export interface CachedFiles {
  /**
   * Returns the file as it is now, or `undefined` when upstream does not have it. Throws the error of a parse that
   * fails, and keeps the earlier copy then. One path always has one format. With `reload` it asks for the whole file,
   * past caches on the way.
   */
  read<T>(path: string, format: FileFormat<T>, options?: { readonly reload?: boolean }): Promise<UpstreamFile<T> | undefined>;
  /**
   * Returns the bytes of the file, or `undefined` if upstream now has another one than that with the digest. They are kept
   * until they are taken: a second call downloads the file again. The file must be one that the package solver reads.
   */
  take(path: string, format: FileFormat<unknown>, digest: string): Promise<Uint8Array | undefined>;
}

interface CachedFile extends UpstreamFile<unknown> {
  readonly size: number;
  readonly validators: Validators;
  bytes: Uint8Array | undefined;
}

/** The size of the cache, measured by the downloaded bytes: enough for the indexes of some architectures. */
const MAX_CACHED_BYTES = 24 * 1024 * 1024;

/** The weight of an entry without its bytes, so that empty files weigh something too. */
const LEAST_WEIGHT = 512;

/**
 * The files that are read at the same time. A target has five feeds and three other files. So many of the largest files
 * fit into a small service.
 */
const FILES_AT_ONCE = 8;

/**
 * Returns a reader that caches parsed files, so that the next read is a conditional request. It sends one request at a
 * time for each path.
 */
export function cachedFiles(client: UpstreamClient): CachedFiles {
  const cache = boundedMap<CachedFile>(MAX_CACHED_BYTES, ({ size }) => size + LEAST_WEIGHT);
  const flights = new Map<string, Promise<CachedFile | undefined>>();

  const readInTurn = gate(FILES_AT_ONCE);
  const parseInTurn = gate(1);

  async function load(
    path: string,
    { maxBytes, parse, isSolved = false }: FileFormat<unknown>,
    reload: boolean,
  ): Promise<CachedFile | undefined> {
    const earlier = cache.get(path);
    const answer = await client.get(path, { maxBytes, validators: reload ? undefined : earlier?.validators, reload });
    if (answer.kind === 'unchanged') {
      if (earlier === undefined) throw new UpstreamFailure(path, 'upstream calls it unchanged, but it was never read', false);
      return earlier;
    }
    if (answer.kind === 'missing') {
      cache.delete(path);
      return undefined;
    }
    const { bytes, digest, validators } = answer;
    const value = earlier?.digest === digest ? earlier.value : await parseInTurn(async () => inSlices(await parse(bytes)));
    const file: CachedFile = { value, digest, validators, size: bytes.length, bytes: isSolved ? bytes : undefined };
    cache.set(path, file);
    return file;
  }

  const loadOnce = (path: string, format: FileFormat<unknown>, reload: boolean): Promise<CachedFile | undefined> =>
    singleFlight(flights, `${reload} ${path}`, () => readInTurn(() => load(path, format, reload)));

  return {
    read<T>(path: string, format: FileFormat<T>, { reload = false } = {}) {
      return loadOnce(path, format, reload) as Promise<UpstreamFile<T> | undefined>;
    },

    async take(path, format, digest) {
      const cached = await loadOnce(path, format, false);
      if (cached?.digest !== digest) return undefined;
      const file = cached.bytes !== undefined ? cached : await loadOnce(path, format, true);
      if (file?.bytes === undefined || file.digest !== digest) return undefined;
      const { bytes } = file;
      file.bytes = undefined;
      return bytes;
    },
  };
}
