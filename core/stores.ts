/**
 * The time of day, for what people read and for what is stored. It can go back or jump when a person or NTP sets it.
 */
export type Clock = () => Date;

/**
 * Milliseconds of a clock that only goes forward, at one pace, whatever happens to the time of day. Use it for
 * durations. Values are comparable within one process only.
 */
export type Monotonic = () => number;

/** The headers with which an artefact is stored and served. */
export interface ArtifactMeta {
  readonly contentType: string;
  readonly cacheControl: string;
  /** The name in `attachment; filename="…"`. */
  readonly filename?: string;
}

export interface Artifact {
  readonly size: number;
  /** Quoted, strong. */
  readonly etag: string;
  readonly lastModified: Date;
  readonly meta: ArtifactMeta;
  /** The requested bytes. The caller must read them to the end or cancel. */
  readonly body: ReadableStream<Uint8Array>;
}

/**
 * Objects by key; keys are URL paths (`store/<bin_dir>/<file>`, `api/v1/build/<hash>`, `logs/<bin_dir>/…`). A key that
 * is not made of plain segments (`[A-Za-z0-9._+-]+`, not `.` or `..`) is refused with `RangeError` on writing and
 * absent on reading. A reader sees the whole old or the whole new object, never a part, and sees every write and removal
 * that has settled. A call whose answer was lost may be repeated: the object is the same, and what is removed is gone.
 */
export interface ArtifactStore {
  put(key: string, body: string | Uint8Array, meta: ArtifactMeta): Promise<void>;
  /**
   * Streams a local regular file, never a link or a file with a second name; fails whole (nothing under the key) or
   * succeeds whole.
   */
  putFile(key: string, path: string, meta: ArtifactMeta, signal?: AbortSignal): Promise<void>;
  /** Returns the whole object as text; for small documents. */
  read(key: string): Promise<string | undefined>;
  /** Opens an object to serve it. `range` is inclusive and must be within the object, whose size `stat` returns. */
  open(key: string, range?: { start: number; end: number }): Promise<Artifact | undefined>;
  /** Returns the same as `open`, without the bytes. */
  stat(key: string): Promise<Omit<Artifact, 'body'> | undefined>;
  /**
   * Removes the object, or, when the key ends with `/`, all objects below it. An absent object is no error. Returns how
   * many there were.
   */
  remove(key: string): Promise<number>;
}

/**
 * Small shared records, replaced by compare-and-swap: what makes every process see one catalogue. A reader sees every
 * write that has settled.
 */
export interface RecordStore {
  get(key: string): Promise<{ body: string; tag: string } | undefined>;
  /**
   * Writes if the record still has `tag`, or, with `undefined`, if there is none. Returns false if another process was
   * first, or this one, in a call whose answer was lost.
   */
  replace(key: string, body: string, tag: string | undefined): Promise<boolean>;
}
