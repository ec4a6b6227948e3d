/**
 * The content of upstream's `.versions.json`, read tolerantly. Versions have upstream's spelling. An entry that
 * upstream lacks is absent.
 */
export interface UpstreamVersions {
  readonly stable?: string;
  readonly oldstable?: string;
  readonly upcoming?: string;
  readonly list: readonly string[];
}

/** The kernel of a target, as `profiles.json` names it. It gives the `kmods/` directory its name. */
export interface LinuxKernel {
  readonly version: string;
  readonly release: string;
  readonly vermagic: string;
}

/** One device of a target, from `profiles.json`; `raw` keeps the keys that the server does not interpret. */
export interface Profile {
  readonly id: string;
  readonly devicePackages: readonly string[];
  /** The names in upstream's spelling, with commas. */
  readonly supportedDevices: readonly string[];
  /** The profile's own object in `profiles.json`, untouched (images, titles, image_prefix, …). */
  readonly raw: Readonly<Record<string, unknown>>;
}

/**
 * The digests of the files that a build will use, by path below the upstream base. A file that does not exist has none.
 */
export type IndexDigests = Readonly<Record<string, string>>;

/**
 * One version and target as upstream publishes it, read in one consistent snapshot: revision, ImageBuilder and package
 * indexes belong together (profiles.json and target index match `sha256sums`). Kept in the shared store, so that every
 * process computes the same request hash; a record is replaced at most every ten minutes (docs/architecture.md,
 * Identity and expiry).
 */
export interface TargetRecord {
  readonly version: string;
  /** `target/subtarget`. */
  readonly target: string;
  /** Path of the version below the upstream base: `releases/24.10.2`, `snapshots`. */
  readonly versionPath: string;
  /** Package architecture: `mips_24kc`. */
  readonly arch: string;
  /** `version_code` of `profiles.json`: `r28739-d9340319c6`. */
  readonly revision: string;
  readonly kernel?: LinuxKernel;
  readonly defaultPackages: readonly string[];
  readonly profiles: Readonly<Record<string, Profile>>;
  /** Top-level keys of `profiles.json` but `profiles`, untouched. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** The tarball as `sha256sums` lists it. Absent while upstream has not published one. */
  readonly imagebuilder?: { readonly name: string; readonly sha256: string };
  /** The name of an ImageBuilder that upstream has instead, and that is another distribution's. Absent if there is none. */
  readonly foreignImagebuilder?: string;
  /** Digests of the package indexes a build will read, by path below the upstream base. */
  readonly indexes: IndexDigests;
  /** The digest under which the shared store keeps the package index of the record. Absent if none could be read. */
  readonly packageIndex?: string;
  /** When upstream was last asked about it, ISO 8601. */
  readonly fetchedAt: string;
}

/** Whether a target has an ImageBuilder, as its record said when it was last read. */
export interface KnownImagebuilder {
  readonly version: string;
  /** The revision that the ImageBuilder has, or would have. */
  readonly revision: string;
  readonly available: boolean;
}

/** Packages of one version and target: target feed, kmods, and the architecture's feeds. */
export interface PackageIndex {
  readonly architecture: string;
  /** name (without ABI suffix) → version: target feed with kmods merged. */
  readonly target: Readonly<Record<string, string>>;
  /** name (without ABI suffix) → version: all feeds of the architecture. */
  readonly feeds: Readonly<Record<string, string>>;
  /** Other names by which a package can be asked for: Provides, and names with ABI suffix. */
  readonly aliases: readonly string[];
  /**
   * name → the names that the package declares a conflict with. Absent: there are none, or the index is of a version that
   * did not keep them.
   */
  readonly conflicts?: Readonly<Record<string, readonly string[]>>;
  /**
   * What `base-files` depends on, by name. Absent: the index does not list it, or is of a version that did not keep it.
   */
  readonly baseNeeds?: readonly string[];
  /**
   * The packages of the feeds that are listed in more than one version. Absent: the index is of a version that did not
   * look for them.
   */
  readonly uncertain?: readonly string[];
  /**
   * False when a feed could not be read or lists no Provides: then only the build can tell that a package is unknown.
   */
  readonly complete: boolean;
}

/**
 * With `fresh`, upstream is asked once more before the caller says that something is unknown: always if the copy is older
 * than 30 s, and a bounded number of times if it is younger (docs/contract.md §4).
 */
export interface Freshness {
  readonly fresh?: boolean;
  /**
   * Upstream is known to have changed by this time (decision 63): a copy that may be older is read again, however young
   * it is. One process does so once for one such time.
   */
  readonly changedAt?: Date;
}

/**
 * The server's knowledge of upstream. It answers from memory, then from the shared store, then from upstream. Once it
 * has a good copy, it answers with that copy while upstream fails. It throws `UpstreamUnavailableError` only if there
 * is none.
 */
export interface Catalogue {
  versions(options?: Freshness): Promise<UpstreamVersions>;
  /** Returns false only if upstream answers that it has nothing at this path (404). */
  hasVersion(versionPath: string, options?: Freshness): Promise<boolean>;
  /** target → package architecture; `undefined`: upstream has no such version, or no list of its targets (404). */
  targets(versionPath: string, options?: Freshness): Promise<Readonly<Record<string, string>> | undefined>;
  /**
   * `undefined`: upstream has no such target, or no readable `profiles.json` for it. Where upstream has no list of targets,
   * `profiles.json` alone says whether there is one.
   */
  target(version: string, versionPath: string, target: string, options?: Freshness): Promise<TargetRecord | undefined>;
  /**
   * Returns, by target, what the server knows of a version's ImageBuilders from the records that it has read. It asks
   * upstream nothing, and lacks the targets that nobody has asked for. Absent: the catalogue keeps no such knowledge.
   */
  imagebuilders?(versionPath: string): Promise<Readonly<Record<string, KnownImagebuilder>>>;
  /** The package index that belongs to the record; `undefined`: upstream has none that could be read. */
  packages(record: TargetRecord): Promise<PackageIndex | undefined>;
  /**
   * Returns whether the version has targets of the architecture. Where upstream has no list of targets, the feeds of the
   * architecture alone say whether there are any.
   */
  hasArch(versionPath: string, arch: string): Promise<boolean>;
  /** Feeds of an architecture merged: name → version. `{}` where upstream has none. */
  feeds(versionPath: string, arch: string): Promise<Readonly<Record<string, string>>>;
}
