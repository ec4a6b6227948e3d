/** The time of day. Somebody may set it, so it may go back or jump: for what people read, and for what is stored. */
export type Clock = () => Date;

/**
 * Milliseconds of a clock that only goes forward, at one pace, whoever sets the time of day: for everything that lasts. Comparable
 * within one process only.
 */
export type Monotonic = () => number;

/** How an artefact is stored and later served. */
export interface ArtifactMeta {
  readonly contentType: string;
  readonly cacheControl: string;
  /** Set as `attachment; filename="…"`. */
  readonly filename?: string;
}

export interface Artifact {
  readonly size: number;
  /** Quoted, strong. */
  readonly etag: string;
  readonly lastModified: Date;
  readonly meta: ArtifactMeta;
  /** The bytes asked for; must be read to its end or cancelled. */
  readonly body: ReadableStream<Uint8Array>;
}

/**
 * Objects by key; keys are URL paths (`store/<bin_dir>/<file>`, `api/v1/build/<hash>`, `logs/<bin_dir>/…`). A key that is
 * not made of plain segments (`[A-Za-z0-9._+-]+`, not `.` or `..`) is refused with `RangeError` on writing and absent on reading. A reader
 * sees the whole old or the whole new object, never a part.
 */
export interface ArtifactStore {
  put(key: string, body: string | Uint8Array, meta: ArtifactMeta): Promise<void>;
  /** Streams a local regular file, never a link or a file with a second name; fails whole (nothing under the key) or succeeds whole. */
  putFile(key: string, path: string, meta: ArtifactMeta, signal?: AbortSignal): Promise<void>;
  /** The whole object as text; for small documents. */
  read(key: string): Promise<string | undefined>;
  /** For serving; `range` is inclusive and must lie within the object (see `size` of a first `open` without body use). */
  open(key: string, range?: { start: number; end: number }): Promise<Artifact | undefined>;
  /** As `open` without bytes. */
  stat(key: string): Promise<Omit<Artifact, 'body'> | undefined>;
  /** Removes the object, or, when the key ends with `/`, all objects below it. Absent is fine. Answers how many there were. */
  remove(key: string): Promise<number>;
}

/** Small shared records, replaced by compare-and-swap: what makes every process see one catalogue. */
export interface RecordStore {
  get(key: string): Promise<{ body: string; tag: string } | undefined>;
  /** Writes if the record still has `tag` (`undefined`: if there is none). False: somebody else was first. */
  replace(key: string, body: string, tag: string | undefined): Promise<boolean>;
}
