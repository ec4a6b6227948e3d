import type { Warning } from '#core/warning.ts';

/** One file of a finished build, on the runner's disk. */
export interface BuiltFile {
  readonly name: string;
  readonly path: string;
  readonly size: number;
  /** Lower-case hex, computed after signing. */
  readonly sha256: string;
}

/** An entry of `images` in ImageBuilder's `profiles.json`; other keys are kept. */
export interface BuiltImage {
  readonly name: string;
  readonly type: string;
  readonly filesystem?: string;
  readonly sha256: string;
  readonly sha256_unsigned?: string;
  readonly [key: string]: unknown;
}

/**
 * The output of a successful run of ImageBuilder. `dispose` deletes the build directory; call it once, after the
 * upload.
 */
export interface BuildOutput {
  /** The files of BIN_DIR that the server offers: images, manifest, profiles.json, sha256sums, … */
  readonly files: readonly BuiltFile[];
  /** The top-level keys of the built `profiles.json`, without `profiles`. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** The built profile's own keys, `images` with recomputed sha256. */
  readonly profile: Readonly<Record<string, unknown>> & { readonly images: readonly BuiltImage[] };
  /** package name (without ABI suffix) → version. */
  readonly manifest: Readonly<Record<string, string>>;
  /** All packages of the image; `name` has its ABI version. Absent where the image maker does not know them. */
  readonly installed?: readonly { readonly name: string; readonly version: string }[];
  /** Whether the ImageBuilder writes ABI versions behind the words of PACKAGES. Absent where the image maker does not know it. */
  readonly addsAbi?: boolean;
  /** The `make image` command as an argv array, `make` first. */
  readonly buildCommand: readonly string[];
  /** The value of PACKAGES, as a list. */
  readonly packages: readonly string[];
  readonly stdout: string;
  readonly stderr: string;
  /** What is special about the images, besides what the server warned of when it accepted the request. */
  readonly warnings?: readonly Warning[];
  /** Milliseconds per step. */
  readonly durations: Readonly<Record<string, number>>;
  /** The digests that the build really used: of the tarball and, where known, of the indexes. */
  readonly digests: Readonly<Record<string, string>>;
  /** Complete log, on the runner's disk. */
  readonly logPath?: string;
  /** Text of a script that repeats this build by hand. */
  readonly reproduce: string;
  dispose(): Promise<void>;
}

/** The evidence of a failed run. All of it but the log becomes part of the failure document. */
export interface FailureEvidence {
  readonly stdout?: string;
  readonly stderr?: string;
  readonly buildCommand?: readonly string[];
  readonly errors?: readonly Readonly<Record<string, unknown>>[];
  readonly durations?: Readonly<Record<string, number>>;
  /** Complete log, on the runner's disk. */
  readonly logPath?: string;
  /** Deletes the files that the failed build keeps as evidence. Call it once, after the last reader. */
  readonly dispose?: () => Promise<void>;
}

/**
 * The request itself is at fault: its packages do not exist or clash, or the image is too big. The same request would
 * fail again.
 */
export class BuildFailure extends Error {
  override readonly name = 'BuildFailure';
  readonly evidence: FailureEvidence;
  constructor(message: string, evidence: FailureEvidence = {}, options?: ErrorOptions) {
    super(message, options);
    this.evidence = evidence;
  }
}

/**
 * The download, the disk, the time or an input failed, and another attempt may succeed. With `isFinal` a retry is
 * pointless, although nothing is cached.
 */
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
