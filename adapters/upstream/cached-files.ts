import { boundedMap } from '#lib/bounded-map.ts';
import type { Sliced } from '#lib/sliced.ts';
import { gate } from './gate.ts';
import { inSlices } from './in-slices.ts';
import { singleFlight } from './single-flight.ts';
import { type UpstreamClient, UpstreamFailure, type Validators } from './upstream-client.ts';

/** A file of upstream, parsed, with the digest of its bytes. */
interface UpstreamFile<T> {
  readonly value: T;
  /** Lower-case hex SHA-256 of the bytes as served. */
  readonly digest: string;
}

/** How a kind of file is read. */
export interface FileFormat<T> {
  /** A longer one is not asked for to its end. */
  readonly maxBytes: number;
  /** Done in slices; one file of the process at a time. */
  readonly parse: (bytes: Uint8Array) => Sliced<T> | Promise<Sliced<T>>;
}

export interface CachedFiles {
  /**
   * The file as it is now, `undefined` when upstream does not have it. Throws what parsing throws, and then the earlier copy is kept;
   * one path always has one format. `reload` asks for the whole file, past caches on the way.
   */
  read<T>(path: string, format: FileFormat<T>, options?: { readonly reload?: boolean }): Promise<UpstreamFile<T> | undefined>;
}

interface Kept extends UpstreamFile<unknown> {
  readonly size: number;
  readonly validators: Validators;
}

/** Parsed files, weighed by what was downloaded: enough for the indexes of some architectures. */
const MAX_KEPT_BYTES = 24 * 1024 * 1024;

/** Whatever is kept weighs something, empty files too. */
const LEAST_WEIGHT = 512;

/** A target has five feeds, and three files besides. The largest files that are accepted, so many at once, fit into a small service. */
const FILES_AT_ONCE = 8;

/** Remembers what was parsed, so that asking again is a conditional request; one request at a time for each path. */
export function cachedFiles(client: UpstreamClient): CachedFiles {
  const kept = boundedMap<Kept>(MAX_KEPT_BYTES, ({ size }) => size + LEAST_WEIGHT);
  const flights = new Map<string, Promise<Kept | undefined>>();

  const inTurn = gate(FILES_AT_ONCE);
  const alone = gate(1);

  async function load(path: string, { maxBytes, parse }: FileFormat<unknown>, reload: boolean): Promise<Kept | undefined> {
    const earlier = kept.get(path);
    const answer = await client.get(path, { maxBytes, validators: reload ? undefined : earlier?.validators, reload });
    if (answer.kind === 'unchanged') {
      if (earlier === undefined) throw new UpstreamFailure(path, 'upstream calls it unchanged, but it was never read', false);
      return earlier;
    }
    if (answer.kind === 'missing') {
      kept.delete(path);
      return undefined;
    }
    const { bytes, digest, validators } = answer;
    const file: Kept =
      earlier?.digest === digest
        ? { ...earlier, validators }
        : { value: await alone(async () => inSlices(await parse(bytes))), digest, validators, size: bytes.length };
    kept.set(path, file);
    return file;
  }

  return {
    read<T>(path: string, format: FileFormat<T>, { reload = false } = {}) {
      return singleFlight(flights, `${reload} ${path}`, () => inTurn(() => load(path, format, reload))) as Promise<
        UpstreamFile<T> | undefined
      >;
    },
  };
}
