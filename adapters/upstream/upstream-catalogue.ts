import { createHash } from 'node:crypto';
import type { Catalogue, Freshness, TargetRecord, UpstreamVersions } from '#core/catalogue/catalogue.ts';
import { DEFAULT_IMAGEBUILDER_PREFIX, type Distro } from '#core/catalogue/distro.ts';
import { packageIndex } from '#core/catalogue/package-index.ts';
import { UpstreamUnavailableError } from '#core/errors.ts';
import { imagebuilderAbi } from '#core/package-solver/imagebuilder-abi.ts';
import type { PackageTables } from '#core/package-solver/package-tables.ts';
import type { Clock, Monotonic, RecordStore } from '#core/stores.ts';
import { boundedMap } from '#lib/bounded-map.ts';
import { circuitBreaker } from '#lib/circuit-breaker.ts';
import { messageOf } from '#lib/message-of.ts';
import { withTimeout } from '#lib/with-timeout.ts';
import { withoutTrailingSlashes } from '#lib/without-trailing-slashes.ts';
import { cachedFiles } from './cached-files.ts';
import { carefulRecords } from './careful-records.ts';
import { fetchByNodeHttp } from './fetch-by-node-http.ts';
import { TARGETS, VERSIONS } from './file-formats.ts';
import { gate } from './gate.ts';
import { hasVersionFiles } from './has-version-files.ts';
import { indexSlots } from './index-slots.ts';
import { knownImagebuilders } from './known-imagebuilders.ts';
import { packageTables } from './package-tables.ts';
import { hasFeeds, mayLackAfter, type ReadIndex, type ReadOptions, readFeeds } from './read-index.ts';
import { readTarget, type TargetName } from './read-target.ts';
import { type DocumentPolicy, sharedDocuments } from './shared-documents.ts';
import { upstreamClient } from './upstream-client.ts';
import { isUpstreamPath } from './upstream-url.ts';

export interface UpstreamCatalogueOptions {
  /** The address of upstream: `https://downloads.openwrt.org` or a mirror. It may have a path. */
  readonly baseUrl: string;
  /** The distribution, if it is another one than OpenWrt. */
  readonly distro?: Pick<Distro, 'name' | 'imagebuilderPrefix'>;
  readonly records: RecordStore;
  readonly now: Clock;
  /** The monotonic clock. Default: the clock of this process. */
  readonly monotonic?: Monotonic;
  /** The function for requests, for processes that measure calls or need a proxy. Default: `fetchByNodeHttp`. */
  readonly fetch?: typeof globalThis.fetch;
  /** How long a target's record stays the same at least, so that all processes hash requests with one record. */
  readonly recordMaxAgeMs?: number;
  /** The age at which versions, targets and feeds are refreshed in the background. */
  readonly listMaxAgeMs?: number;
  /** The longest time that a request waits for upstream, and for a record of the store. */
  readonly waitMs?: number;
  /** The time without a byte from upstream after which an attempt ends. */
  readonly idleMs?: number;
  /** Called for each refresh that failed, and for each index that a record lacks, for logs and metrics. */
  readonly onError?: (what: string, error: unknown) => void;
}

const MINUTE_MS = 60_000;
/** How long a request waits for what is only noted for the overview. */
const NOTE_MS = 1000;
const UNLISTED_AT_ONCE = 2;
const UNLISTED_WAITING = 20;
/** How often a process asks an upstream that failed again and again whether it is back, as long as clients ask for it. */
const PROBE_MS = 2000;
/** How long a check of upstream may take. The caller has a limit of its own, a little longer. */
const REACH_MS = 4000;
/**
 * The greatest age of a record that is answered at once, as a multiple of the age at which it is due. Such a record is
 * refreshed in the background, so that requests for a popular target never wait. An older record may name files that
 * upstream has replaced since, and its build would fail.
 */
const RECORD_MAX_STALE = 1.5;
/** How long a process may still use a record that another process has replaced. */
const RECORD_MEMORY_MS = 1000;
/**
 * The age up to which a record uses known feeds, so that targets of one architecture that are refreshed together share
 * them.
 */
const FEEDS_MAX_AGE_MS = MINUTE_MS;

/**
 * A target's record in the shared store. It has no `fetchedAt`, which is the copy's `checkedAt`, so an unchanged record
 * stays the same text.
 */
type StoredRecord = Omit<TargetRecord, 'fetchedAt'> & Partiality;

type PolicyFreshness = Pick<DocumentPolicy<unknown>, 'fresh' | 'changedAt'>;

type Partiality = Pick<ReadIndex, 'unread' | 'missing'>;

/**
 * Returns whether an index lacks a part that upstream serves, or will serve once it has caught up. Such a copy is checked
 * again soon.
 */
const isPartial = ({ unread, missing }: Partiality): boolean => unread !== undefined || missing !== undefined;

/** A catalogue that knows how it stands with its upstream. */
export interface UpstreamCatalogue extends Catalogue, PackageTables {
  /** Asks upstream for a small file. Throws `UpstreamUnavailableError` if it does not answer, whatever copies there are. */
  assertReachable(): Promise<void>;
  /** Called when a build has found upstream changed: the next request for the target is about upstream as it is. */
  noteChange(versionPath: string, target: string): void;
}

/**
 * Returns the catalogue of a downloads.openwrt.org tree (docs/decisions/0018). It reads memory, then the shared store,
 * then upstream. Every process answers with what the store has, and never with a copy of its own that lost the race to
 * be stored.
 */
export function upstreamCatalogue(options: UpstreamCatalogueOptions): UpstreamCatalogue {
  const { baseUrl, now, monotonic = () => performance.now(), fetch = fetchByNodeHttp, onError } = options;
  const { recordMaxAgeMs = 10 * MINUTE_MS, listMaxAgeMs = 5 * MINUTE_MS, waitMs = 8000, idleMs = 5000 } = options;
  const breaker = circuitBreaker({ monotonic, threshold: 8, openMs: PROBE_MS, jitter: 0.25 });
  const files = cachedFiles(upstreamClient({ baseUrl, breaker, fetch, idleMs, totalMs: 20_000, retries: 2 }));
  const records = carefulRecords(options.records, { monotonic, waitMs });
  const documents = sharedDocuments({ records, now, monotonic, waitMs, onError });
  // Each upstream and distribution has its own keys, so that no record of another one is ever taken for its own.
  const root = `catalogue/${sha256(sourceOf(baseUrl, options.distro)).slice(0, 12)}`;
  const slots = indexSlots(records);
  const abi = imagebuilderAbi(records);
  /** What is known of ImageBuilders never changes. What is not known yet is looked for again. */
  const addsAbi = boundedMap<boolean>(1000, () => 1);
  async function knownAbi(sha256: string | undefined): Promise<boolean | undefined> {
    if (sha256 === undefined) return undefined;
    const known = addsAbi.get(sha256) ?? (await abi.addsAbi(sha256).catch(() => undefined));
    if (known !== undefined) addsAbi.set(sha256, known);
    return known;
  }
  const readTables = packageTables({ files, records, root, onError });
  const imagebuilders = knownImagebuilders({ records, monotonic, keyOf: (path) => `${root}/${path}/imagebuilders`, onError });

  /** When a build of this process found the target changed, in milliseconds since the epoch, by the key of its record. */
  const changes = boundedMap<number>(1000, () => 1);
  /**
   * Clients can name any number of targets that no list has. They must not keep the others waiting, nor each other for
   * long: beyond `UNLISTED_WAITING`, a target that was never read is not available.
   */
  const unlistedInTurn = gate(UNLISTED_AT_ONCE, UNLISTED_WAITING);

  const gapOptions = (previous: Partiality | undefined): ReadOptions => ({
    mayLack: mayLackAfter(previous),
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

  async function hasVersion(versionPath: string, freshness?: Freshness): Promise<boolean> {
    if (!isUpstreamPath(versionPath)) return false;
    const load = async () => ({ isThere: await hasVersionFiles(files, versionPath) });
    const key = `${root}/${versionPath}/existence`;
    const copy = documents.read(key, `whether there is ${versionPath}`, load, list(freshness));
    return copy.then(
      ({ value }) => value?.isThere ?? true,
      // While upstream does not answer, it may have any version.
      () => true,
    );
  }

  /**
   * Returns the architecture of a target that upstream lists, or the empty text where upstream has the version without a
   * list of its targets. It asks upstream once more before it answers that there is no such target.
   */
  async function archOf(versionPath: string, target: string): Promise<string | undefined> {
    const known = (await targets(versionPath))?.[target];
    if (known !== undefined) return known;
    const listed = await targets(versionPath, { fresh: true });
    if (listed !== undefined) return listed[target];
    return isTargetName(target) && (await hasVersion(versionPath)) ? '' : undefined;
  }

  async function hasArch(versionPath: string, arch: string): Promise<boolean> {
    const listed = Object.values((await targets(versionPath)) ?? {});
    if (listed.length > 0) return listed.includes(arch);
    if (!isUpstreamPath(versionPath) || !isUpstreamPath(arch)) return false;
    const load = (previous: true | undefined) => {
      const read = async () => ((await hasFeeds(files, versionPath, arch)) ? true : undefined);
      return previous === undefined ? unlistedInTurn(read) : read();
    };
    const key = `${root}/${versionPath}/feeds-existence/${arch}`;
    return (await documents.read(key, `whether ${versionPath} has packages for ${arch}`, load, list())).value ?? false;
  }

  async function feedIndex(versionPath: string, arch: string, policy: DocumentPolicy<ReadIndex>): Promise<ReadIndex> {
    const load = (previous: ReadIndex | undefined) => readFeeds(files, versionPath, arch, gapOptions(previous));
    const key = `${root}/${versionPath}/feeds/${arch}`;
    const { value } = await documents.read(key, `the package feeds of ${versionPath} for ${arch}`, load, { ...policy, isPartial });
    if (value === undefined) throw new Error(`feeds of ${arch} are always an index`);
    return value;
  }

  async function loadRecord(
    name: TargetName,
    previous: StoredRecord | undefined,
    { fresh = false, changedAt }: PolicyFreshness,
  ): Promise<StoredRecord | undefined> {
    const read = await readTarget(files, name, gapOptions(previous));
    if (read === undefined) return undefined;
    const { record, own } = read;
    await withTimeout(NOTE_MS, imagebuilders.note(record)).catch(() => undefined);
    const feeds = isUpstreamPath(record.arch)
      ? await feedIndex(name.versionPath, record.arch, { maxAgeMs: FEEDS_MAX_AGE_MS, maxStaleMs: 0, fresh, changedAt })
      : undefined;
    const unread = [...(own.unread ?? []), ...(feeds?.unread ?? [])];
    const { missing } = own;
    const indexes = { ...own.indexes, ...feeds?.indexes };
    const facts = { ...record, indexes, ...(unread.length > 0 && { unread }), ...(missing && { missing }) };
    if (feeds === undefined || Object.keys(indexes).length === 0) return facts;
    const index = packageIndex(own.feed, feeds.feed, record.arch);
    return { ...facts, packageIndex: await slots.write(recordKey(name.versionPath, name.target), index) };
  }

  const stamped = new WeakMap<StoredRecord, TargetRecord>();
  function stamp(value: StoredRecord, checkedAt: number): TargetRecord {
    const known = stamped.get(value);
    if (known !== undefined) return known;
    withoutPrototype(value.profiles);
    const { unread: _, missing: __, ...facts } = value;
    const record = { ...facts, fetchedAt: new Date(checkedAt).toISOString() };
    stamped.set(value, record);
    return record;
  }

  return {
    versions,
    hasVersion,
    targets,

    noteChange(versionPath, target) {
      changes.set(recordKey(versionPath, target), now().getTime());
    },

    async assertReachable() {
      try {
        await withTimeout(REACH_MS, files.read('.versions.json', VERSIONS));
      } catch (cause) {
        throw new UpstreamUnavailableError('upstream', messageOf(cause), { cause });
      }
    },

    async target(version, versionPath, target, { fresh = false, changedAt: knownAt } = {}) {
      const arch = await archOf(versionPath, target);
      if (arch === undefined) return undefined;
      const { imagebuilderPrefix = DEFAULT_IMAGEBUILDER_PREFIX } = options.distro ?? {};
      const name = { version, versionPath, target, arch, imagebuilderPrefix };
      const key = recordKey(versionPath, target);
      const changedAt = latest(knownAt?.getTime(), changes.get(key));
      const load = (previous: StoredRecord | undefined) => loadRecord(name, previous, { fresh, changedAt });
      const { value, checkedAt } = await documents.read(
        key,
        `${target} of ${version}`,
        (previous: StoredRecord | undefined) =>
          arch === '' && previous === undefined ? unlistedInTurn(() => load(previous)) : load(previous),
        {
          maxAgeMs: recordMaxAgeMs,
          maxStaleMs: RECORD_MAX_STALE * recordMaxAgeMs,
          memoryMs: RECORD_MEMORY_MS,
          fresh,
          changedAt,
          isPartial,
        },
      );
      return value && stamp(value, checkedAt);
    },

    async packages({ versionPath, target, packageIndex: digest }) {
      if (digest === undefined) return undefined;
      try {
        return await slots.read(recordKey(versionPath, target), digest);
      } catch (error) {
        // Without an index, the build decides which packages exist.
        onError?.(`package index of ${target}`, error);
        return undefined;
      }
    },

    async tables({ indexes, imagebuilder, fetchedAt }) {
      try {
        const found = await withTimeout(waitMs, Promise.all([readTables(indexes), knownAbi(imagebuilder?.sha256)]));
        const [tables, addsAbi] = found;
        const ageMs = Math.abs(now().getTime() - Date.parse(fetchedAt));
        return tables && { ...tables, ageMs, ...(addsAbi !== undefined && { addsAbi }) };
      } catch (error) {
        onError?.('the tables of package indexes', error);
        return undefined;
      }
    },

    hasArch,

    imagebuilders: imagebuilders.of,

    async feeds(versionPath, arch) {
      if (!(await hasArch(versionPath, arch))) return {};
      return withoutPrototype((await feedIndex(versionPath, arch, list())).feed.packages);
    },
  };
}

/**
 * Returns the map without a prototype, which a map from the store has: names such as `constructor` must not be found in
 * it.
 */
function withoutPrototype<T extends object | undefined>(map: T): T {
  return map === undefined || Object.getPrototypeOf(map) === null ? map : Object.setPrototypeOf(map, null);
}

const latest = (...times: readonly (number | undefined)[]): number | undefined =>
  times.reduce((a, b) => (a === undefined || (b !== undefined && b > a) ? b : a), undefined);

const isTargetName = (target: string): boolean => /^\w+\/\w+$/.test(target) && isUpstreamPath(target);

/** Returns the text that tells an upstream and its distribution from all others. No URL has a space in it. */
function sourceOf(baseUrl: string, distro: UpstreamCatalogueOptions['distro']): string {
  const url = withoutTrailingSlashes(baseUrl);
  return distro === undefined ? url : `${url} ${distro.name} ${distro.imagebuilderPrefix}`;
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
