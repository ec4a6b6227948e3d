/** A problem of the request that the client can act on. People read it. */
export interface ErrorEntry {
  readonly [key: string]: unknown;
}

/**
 * A failure that a client may read. Any other error is a bug and is answered as a bare 500.
 * The HTTP body is `{status, title, detail}`, `errors` beside it where there is structure to show.
 */
export abstract class AsuError extends Error {
  abstract readonly status: number;
  abstract readonly title: string;
  /** The structured entries beside the readable `detail`. */
  readonly errors?: readonly ErrorEntry[];
  /** The text for clients that show ImageBuilder's output (auc, LuCI). */
  readonly stderr?: string;
  /** The headers of the answer besides the usual ones. */
  readonly headers?: Readonly<Record<string, string>>;

  override get name(): string {
    return this.constructor.name;
  }
}

/** A well-formed request for something that this server does not have or allow (docs/contract.md §4). */
export abstract class BadRequestError extends AsuError {
  readonly status = 400;
  readonly title = 'Bad Request';
}

export class DefaultsNotAllowedError extends BadRequestError {
  constructor() {
    super('Handling `defaults` not enabled on server');
  }
}

export class RepositoryNotAllowedError extends BadRequestError {
  constructor(url: string) {
    super(`Repository not allowed: ${url}`);
  }
}

/** The server builds no images of this distribution. Where it has more than the default one, the text names them. */
export class UnsupportedDistroError extends BadRequestError {
  constructor(distro: string, offered: readonly string[]) {
    super(`Unsupported distro: ${distro}${offered.length > 1 ? `. This server has ${offered.join(', ')}` : ''}`);
  }
}

export class UnsupportedBranchError extends BadRequestError {
  constructor(version: string) {
    super(`Unsupported branch: ${version}`);
  }
}

export class UnsupportedVersionError extends BadRequestError {
  constructor(version: string) {
    super(`Unsupported version: ${version}`);
  }
}

export class UnsupportedTargetError extends BadRequestError {
  constructor(target: string) {
    super(
      `Unsupported target: ${target}. The requested target was either dropped, is still being built or is not supported by the selected version. Please check the forums or try again later.`,
    );
  }
}

/** The seconds after which a client may ask again for what upstream has announced and does not have yet. */
export const NOT_YET_RETRY_SECONDS = 3600;

/** Upstream has announced what the client asks for, and the download server does not have it yet, or not all of it. */
abstract class NotYetMirroredError extends BadRequestError {
  override readonly errors: readonly ErrorEntry[];
  override readonly headers: Readonly<Record<string, string>> = { 'Retry-After': String(NOT_YET_RETRY_SECONDS) };
  constructor(code: string, place: { readonly version: string; readonly target?: string }, detail: string) {
    super(detail);
    this.errors = [{ code, ...place, detail, retry_after_seconds: NOT_YET_RETRY_SECONDS }];
  }
}

export class VersionNotYetMirroredError extends NotYetMirroredError {
  constructor(version: string) {
    const why = 'It has been announced, but the download server does not have it yet. Please ask again in an hour.';
    super('version_not_mirrored', { version }, `Unsupported version: ${version}. ${why}`);
  }
}

/** Upstream lists the target in the version, and has no files of it. */
export class TargetNotYetMirroredError extends NotYetMirroredError {
  constructor(version: string, target: string) {
    const why = `Upstream lists this target in ${version}, but the download server does not have its files. If ${version} was just released, please ask again in an hour.`;
    super('target_not_mirrored', { version, target }, `${new UnsupportedTargetError(target).message} ${why}`);
  }
}

export class UnsupportedProfileError extends BadRequestError {
  constructor(profile: string, reason = 'The requested profile was either dropped or never existed') {
    super(`Unsupported profile: ${profile}. ${reason}. Please check the forums for more information.`);
  }
}

/**
 * Upstream does not have the revision that the client wants, or no longer. The server answers before it queues a build
 * (docs/contract.md §10.24).
 */
export class RevisionMismatchError extends BadRequestError {
  constructor(upstream: string, requested: string) {
    super(`Error: Received incorrect version ${upstream} (requested ${requested})`);
  }
}

/** The version is known, but upstream has no ImageBuilder for the target, or no longer. */
export class ImagebuilderNotPublishedError extends NotYetMirroredError {
  constructor(version: string, target: string) {
    super(
      'imagebuilder_not_published',
      { version, target },
      `Error: Image not found: no ImageBuilder of ${version} for ${target}. If this version was just released, please try again in a few hours as it may take some time to become fully available.`,
    );
  }
}

/**
 * Upstream has an ImageBuilder for the target, but its name belongs to another distribution. Only the operator can change
 * that.
 */
export class ForeignImagebuilderError extends BadRequestError {
  constructor(version: string, target: string, distro: string, name: string) {
    super(
      `Error: Image not found: the only ImageBuilder of ${version} for ${target} is ${name}, which is none of ${distro}. The operator of this server can add the distribution that it belongs to (setting DISTROS).`,
    );
  }
}

export class BuildNotFoundError extends AsuError {
  readonly status = 404;
  readonly title = 'Not Found';
  constructor() {
    super('could not find provided request hash');
  }
}

export class QueueFullError extends AsuError {
  readonly status = 429;
  readonly title = 'Server overloaded';
  override readonly headers: Readonly<Record<string, string>>;
  constructor(waiting: number, retryAfterSeconds: number) {
    super(`server overload, queue contains too many build requests: ${waiting}`);
    this.headers = { 'Retry-After': String(retryAfterSeconds) };
  }
}

/** The client has its share of the queue, and other clients wait. */
export class ClientShareError extends AsuError {
  readonly status = 429;
  readonly title = 'Too Many Requests';
  override readonly headers: Readonly<Record<string, string>>;
  constructor(pending: number, retryAfterSeconds: number) {
    super(
      `Too Many Requests: ${pending} builds from your address are under way while other clients wait; try again in ${retryAfterSeconds} s`,
    );
    this.headers = { 'Retry-After': String(retryAfterSeconds) };
  }
}

/** Upstream or the server's own store does not answer now, and there is no earlier answer. */
export class UpstreamUnavailableError extends AsuError {
  readonly status = 503;
  readonly title = 'Service Unavailable';
  override readonly headers = { 'Retry-After': '30' };
  constructor(what: string, reason: string, options?: ErrorOptions) {
    super(`Error: ${what} is not available right now: ${reason}`, options);
  }
}

/** A store of the server takes no more requests now, and refused all retries. */
export class ThrottledError extends AsuError {
  readonly status = 503;
  readonly title = 'Service Unavailable';
  override readonly headers = { 'Retry-After': '5' };
  constructor(what: string, options?: ErrorOptions) {
    super(`Error: the server is busy (${what}), please try again`, options);
  }
}

/**
 * A store that holds the server's state cannot be reached or fails. The client can only wait; the operator finds the
 * error in the log, with a cause that names no build.
 */
export class StoreUnavailableError extends AsuError {
  readonly status = 503;
  readonly title = 'Service Unavailable';
  override readonly headers = { 'Retry-After': '10' };
  constructor(what: string, reason: string) {
    super(`Error: the server cannot use its ${what} right now, please try again`, { cause: new Error(reason) });
  }
}

/** A disk of the server is full. It did not do what the client asked, and keeps what it accepted before. */
export class StorageFullError extends AsuError {
  readonly status = 503;
  readonly title = 'Service Unavailable';
  override readonly headers = { 'Retry-After': '60' };
  constructor(what: string, options?: ErrorOptions) {
    super(`The server's disk is full: no room for ${what}, please try again later`, options);
  }
}

/** Some packages exist nowhere in the feeds of this version and target (docs/contract.md §10.21). */
export class UnknownPackagesError extends AsuError {
  readonly status = 422;
  readonly title = 'Unprocessable Content';
  readonly packages: readonly string[];
  override readonly errors: readonly ErrorEntry[];
  override readonly stderr: string;
  override readonly headers: Readonly<Record<string, string>>;
  constructor(packages: readonly string[], suggestions: Readonly<Record<string, readonly string[]>> = {}) {
    super(`Error: Impossible package selection: missing (${packages.join(', ')})`);
    this.packages = packages;
    this.stderr = this.message;
    this.errors = [{ code: 'package_missing', packages, suggestion: suggestions }];
    this.headers = { 'X-Unknown-Package': fitting(packages) };
  }
}

/** The packages cannot be installed together, as the package indexes of this version and target show. */
export class ImpossiblePackagesError extends AsuError {
  readonly status = 422;
  readonly title = 'Unprocessable Content';
  override readonly errors: readonly ErrorEntry[];
  override readonly stderr: string;
  override readonly headers: Readonly<Record<string, string>>;
  constructor(detail: string, problems: readonly ErrorEntry[]) {
    super(detail);
    this.stderr = this.message;
    // auc shows nothing else of a 422.
    this.headers = { 'X-Unknown-Package': fitting(detail.replace(/^Error: Impossible package selection: /, '').split(' ')) };
    this.errors = problems;
  }
}

/** The request requires packages in versions that the feeds no longer have, or not yet (docs/contract.md §10.29). */
export class OutdatedVersionsError extends AsuError {
  readonly status = 422;
  readonly title = 'Unprocessable Content';
  override readonly errors: readonly ErrorEntry[];
  override readonly stderr: string;
  constructor(outdated: readonly { readonly name: string; readonly required: string; readonly found: string }[]) {
    const entries = outdated.map(({ name, required, found }) => ({
      code: 'version_mismatch',
      packages: [name],
      required,
      found,
      message: `${name} version not as requested: ${required} vs. ${found}`,
    }));
    super(`Error: Impossible package selection: ${entries.map(({ message }) => message).join(', ')}`);
    this.stderr = this.message;
    this.errors = entries;
  }
}

/** Proxies and clients refuse headers of more than a few kilobytes. The body names all packages. */
const MAX_HEADER_LENGTH = 1_024;

/** Returns the words as far as a header has room for them. A header has printable ASCII only. */
function fitting(words: readonly string[]): string {
  const shown = words
    .join(' ')
    .replaceAll('→', '->')
    .replace(/[^\x20-\x7e]/g, '?');
  return shown.length <= MAX_HEADER_LENGTH ? shown : shown.slice(0, shown.lastIndexOf(' ', MAX_HEADER_LENGTH));
}
