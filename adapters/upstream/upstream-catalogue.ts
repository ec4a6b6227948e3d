import { createHash } from 'node:crypto';
import type { Catalogue, Freshness, TargetRecord, UpstreamVersions } from '#core/catalogue/catalogue.ts';
import { packageIndex } from '#core/catalogue/package-index.ts';
import type { Clock, Monotonic, RecordStore } from '#core/stores.ts';
import { circuitBreaker } from '#lib/circuit-breaker.ts';
import { withoutTrailingSlashes } from '#lib/without-trailing-slashes.ts';
import { cachedFiles } from './cached-files.ts';
import { fetchByNodeHttp } from './fetch-by-node-http.ts';
import { TARGETS, VERSIONS } from './file-formats.ts';
import { indexSlots } from './index-slots.ts';
import { lackingLike, type ReadIndex, type ReadOptions, readFeeds } from './read-index.ts';
import { readTarget, type TargetName } from './read-target.ts';
import { type DocumentPolicy, sharedDocuments } from './shared-documents.ts';
import { upstreamClient } from './upstream-client.ts';
import { isUpstreamPath } from './upstream-url.ts';

export interface UpstreamCatalogueOptions {
  /** `https://downloads.openwrt.org`, or a mirror; a path is fine. */
  readonly baseUrl: string;
  readonly records: RecordStore;
  readonly now: Clock;
  /** Default: this process's own. */
  readonly monotonic?: Monotonic;
  /** Injected where calls are measured, or a proxy is needed. Default `fetchByNodeHttp`. */
  readonly fetch?: typeof globalThis.fetch;
  /** At least this long a target's record stays as it is, so that all processes hash over one. */
  readonly recordMaxAgeMs?: number;
  /** Versions, targets and feeds are looked at again, in the background, after this long. */
  readonly listMaxAgeMs?: number;
  /** How long a request waits for upstream at most. */
  readonly waitMs?: number;
  /** An attempt ends when upstream sent nothing for this long. */
  readonly idleMs?: number;
  /** Told of each refresh that failed, and of each index that was gone without, for logs and metrics. */
  readonly onError?: (what: string, error: unknown) => void;
}

const MINUTE_MS = 60_000;
/**
 * A record that is due is answered at once, and refreshed behind the caller's back, for half its time again: so a target that is asked
 * for all the time keeps nobody waiting. An older one may name what upstream has replaced since, and its build would fail.
 */
const RECORD_MAX_STALE = 1.5;
/** How long a process may go on with a record that another has replaced. */
const RECORD_MEMORY_MS = 1000;
/** Targets of one architecture that are refreshed together share its feeds. */
const FEEDS_MAX_AGE_MS = MINUTE_MS;

/** A target's record as the shared store has it: `fetchedAt` is the copy's age, so an unchanged record stays the same text. */
type StoredRecord = Omit<TargetRecord, 'fetchedAt'> & Partiality;

type Partiality = Pick<ReadIndex, 'unread'>;

/** An index that lacks what upstream lists looks like any other: it is looked at again soon, and not answered for long. */
const isPartial = ({ unread }: Partiality): boolean => unread !== undefined;

/**
 * The catalogue over a downloads.openwrt.org tree (docs/decisions/0018): memory, then the shared store, then upstream. Every process
 * answers with what the store holds, never with a fetch of its own that lost the race to be stored.
 */
export function upstreamCatalogue(options: UpstreamCatalogueOptions): Catalogue {
  const { baseUrl, records, now, monotonic = () => performance.now(), fetch = fetchByNodeHttp, onError } = options;
  const { recordMaxAgeMs = 10 * MINUTE_MS, listMaxAgeMs = 5 * MINUTE_MS, waitMs = 8000, idleMs = 5000 } = options;
  const breaker = circuitBreaker({ monotonic, threshold: 8, openMs: 15_000 });
  const files = cachedFiles(upstreamClient({ baseUrl, breaker, fetch, idleMs, totalMs: 20_000, retries: 2 }));
  const documents = sharedDocuments({ records, now, monotonic, waitMs, onError });
  // Another upstream is another catalogue: its records must not be taken for this one's.
  const root = `catalogue/${sha256(withoutTrailingSlashes(baseUrl)).slice(0, 12)}`;
  const slots = indexSlots(records);

  const goWithout = (previous: Partiality | undefined): ReadOptions => ({
    mayLack: lackingLike(previous),
    onUnread: (directory, error) => onError?.(`the package index in ${directory}`, error),
  });
  const list = ({ fresh = false }: Freshness = {}) => ({
    maxAgeMs: listMaxAgeMs,
    maxStaleMs: Number.POSITIVE_INFINITY,
    fresh,
  });
  const recordKey = (versionPath: string, target: string) => `${root}/${versionPath}/targets/${target}`;

  async function versions(freshness?: Freshness): Promise<UpstreamVersions> {
    const load = async (previous: UpstreamVersions | undefined) =>
      (await files.read('.versions.json', VERSIONS))?.value ?? previous ?? { list: [] };
    return (await documents.read(`${root}/versions`, 'the list of versions', load, list(freshness))).value ?? { list: [] };
  }

  async function targets(versionPath: string, freshness?: Freshness): Promise<Readonly<Record<string, string>> | undefined> {
    if (!isUpstreamPath(versionPath)) return undefined;
    const load = async () => (await files.read(`${versionPath}/.targets.json`, TARGETS))?.value;
    const key = `${root}/${versionPath}/target-list`;
    return withoutPrototype((await documents.read(key, `the list of targets of ${versionPath}`, load, list(freshness))).value);
  }

  /** The architecture of a target that upstream lists; asked once more before saying no. */
  async function archOf(versionPath: string, target: string): Promise<string | undefined> {
    return (await targets(versionPath))?.[target] ?? (await targets(versionPath, { fresh: true }))?.[target];
  }

  async function feedIndex(versionPath: string, arch: string, policy: DocumentPolicy<ReadIndex>): Promise<ReadIndex> {
    const load = (previous: ReadIndex | undefined) => readFeeds(files, versionPath, arch, goWithout(previous));
    const key = `${root}/${versionPath}/feeds/${arch}`;
    const { value } = await documents.read(key, `the package feeds of ${versionPath} for ${arch}`, load, { ...policy, isPartial });
    if (value === undefined) throw new Error(`feeds of ${arch} are always an index`);
    return value;
  }

  async function loadRecord(
    name: TargetName,
    previous: StoredRecord | undefined,
    { fresh = false }: Freshness,
  ): Promise<StoredRecord | undefined> {
    const read = await readTarget(files, name, goWithout(previous));
    if (read === undefined) return undefined;
    const { record, own } = read;
    const feeds = isUpstreamPath(record.arch)
      ? await feedIndex(name.versionPath, record.arch, { maxAgeMs: FEEDS_MAX_AGE_MS, maxStaleMs: 0, fresh })
      : undefined;
    const unread = [...(own.unread ?? []), ...(feeds?.unread ?? [])];
    const indexes = { ...own.indexes, ...feeds?.indexes };
    const facts = { ...record, indexes, ...(unread.length > 0 && { unread }) };
    if (feeds === undefined || Object.keys(indexes).length === 0) return facts;
    const index = packageIndex(own.feed, feeds.feed, record.arch);
    return { ...facts, packageIndex: await slots.write(recordKey(name.versionPath, name.target), index) };
  }

  const stamped = new WeakMap<StoredRecord, TargetRecord>();
  function stamp(value: StoredRecord, checkedAt: number): TargetRecord {
    const known = stamped.get(value);
    if (known !== undefined) return known;
    withoutPrototype(value.profiles);
    const { unread: _, ...facts } = value;
    const record = { ...facts, fetchedAt: new Date(checkedAt).toISOString() };
    stamped.set(value, record);
    return record;
  }

  return {
    versions,
    targets,

    async target(version, versionPath, target, { fresh = false } = {}) {
      const arch = await archOf(versionPath, target);
      if (arch === undefined) return undefined;
      const name = { version, versionPath, target, arch };
      const { value, checkedAt } = await documents.read(
        recordKey(versionPath, target),
        `${target} of ${version}`,
        (previous: StoredRecord | undefined) => loadRecord(name, previous, { fresh }),
        { maxAgeMs: recordMaxAgeMs, maxStaleMs: RECORD_MAX_STALE * recordMaxAgeMs, memoryMs: RECORD_MEMORY_MS, fresh, isPartial },
      );
      return value && stamp(value, checkedAt);
    },

    async packages({ versionPath, target, packageIndex: digest }) {
      if (digest === undefined) return undefined;
      try {
        return await slots.read(recordKey(versionPath, target), digest);
      } catch (error) {
        // Without it, the build decides which packages exist.
        onError?.(`package index of ${target}`, error);
        return undefined;
      }
    },

    async feeds(versionPath, arch) {
      const known = Object.values((await targets(versionPath)) ?? {});
      if (!known.includes(arch)) return {};
      return withoutPrototype((await feedIndex(versionPath, arch, list())).feed.packages);
    },
  };
}

/** A stored map comes back with a prototype; names such as `constructor` must not be found in it. */
function withoutPrototype<T extends object | undefined>(map: T): T {
  return map === undefined || Object.getPrototypeOf(map) === null ? map : Object.setPrototypeOf(map, null);
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
