/** One file of a finished build, on the runner's disk. */
export interface BuiltFile {
  readonly name: string;
  readonly path: string;
  readonly size: number;
  /** Lower-case hex, computed after signing. */
  readonly sha256: string;
}

/** An entry of `images` in ImageBuilder's `profiles.json`; keys beyond these are kept. */
export interface BuiltImage {
  readonly name: string;
  readonly type: string;
  readonly filesystem?: string;
  readonly sha256: string;
  readonly sha256_unsigned?: string;
  readonly [key: string]: unknown;
}

/** What a successful run of ImageBuilder left. `dispose` deletes the build dir and must be called once, after uploading. */
export interface BuildOutput {
  /** Everything in BIN_DIR that is to be served: images, manifest, profiles.json, sha256sums, … */
  readonly files: readonly BuiltFile[];
  /** Top-level keys of the built `profiles.json` but `profiles`. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** The built profile's own keys, `images` with recomputed sha256. */
  readonly profile: Readonly<Record<string, unknown>> & { readonly images: readonly BuiltImage[] };
  /** package name (without ABI suffix) → version. */
  readonly manifest: Readonly<Record<string, string>>;
  /** The `make image` command as an argv array, `make` first. */
  readonly buildCommand: readonly string[];
  /** What stood in PACKAGES. */
  readonly packages: readonly string[];
  readonly stdout: string;
  readonly stderr: string;
  /** Milliseconds per step. */
  readonly durations: Readonly<Record<string, number>>;
  /** Digests really used: tarball and, where known, indexes. */
  readonly digests: Readonly<Record<string, string>>;
  /** Complete log, on the runner's disk. */
  readonly logPath?: string;
  /** Text of a script that repeats this build by hand. */
  readonly reproduce: string;
  dispose(): Promise<void>;
}

/** What a failed run has to say; but for the log it becomes part of the failure document. */
export interface FailureEvidence {
  readonly stdout?: string;
  readonly stderr?: string;
  readonly buildCommand?: readonly string[];
  readonly errors?: readonly Readonly<Record<string, unknown>>[];
  readonly durations?: Readonly<Record<string, number>>;
  /** Complete log, on the runner's disk. */
  readonly logPath?: string;
  /** Deletes what the failed build keeps for its evidence; to be called once, when nobody reads it any more. */
  readonly dispose?: () => Promise<void>;
}

/** The request itself is at fault: packages that do not exist or clash, image too big. The same request would fail again. */
export class BuildFailure extends Error {
  override readonly name = 'BuildFailure';
  readonly evidence: FailureEvidence;
  constructor(message: string, evidence: FailureEvidence = {}, options?: ErrorOptions) {
    super(message, options);
    this.evidence = evidence;
  }
}

/** Download, disk, timeout, lost input: another attempt may succeed. With `isFinal`, a retry is pointless although nothing is cached. */
export class InfrastructureFailure extends Error {
  override readonly name = 'InfrastructureFailure';
  readonly evidence: FailureEvidence;
  readonly isFinal: boolean;
  constructor(message: string, options: ErrorOptions & { evidence?: FailureEvidence; isFinal?: boolean } = {}) {
    super(message, options);
    this.evidence = options.evidence ?? {};
    this.isFinal = options.isFinal ?? false;
  }
}
