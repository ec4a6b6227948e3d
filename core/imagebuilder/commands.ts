import { FILESYSTEMS, type Filesystem, PROFILE_NAME } from '#core/request/build-request.ts';

/**
 * Text that make or its shell would read as syntax was about to reach the command line. The API checked the request
 * long before, so this is a bug or an attack, and no process starts.
 */
export class UnsafeArgumentError extends Error {
  override readonly name = 'UnsafeArgumentError';
  constructor(variable: string) {
    super(`Unsafe value of ${variable} refused`);
  }
}

export interface ManifestCommand {
  readonly profile: string;
  /** The packages in canonical order. */
  readonly packages: readonly string[];
}

export interface ImageCommand extends ManifestCommand {
  /** The server's own lower-case hex, which gives builds with different packages different file names. */
  readonly extraImageName: string;
  /** Absolute. */
  readonly binDir: string;
  /** Absolute; a directory whose contents go into the image. */
  readonly files?: string;
  readonly rootfsSizeMb?: number;
  /** Only for ImageBuilders that know ROOTFS_FILESYSTEM; others ignore it (see `onlyFilesystem`). */
  readonly filesystem?: Filesystem;
}

/**
 * A name to add, or `-name` to remove one. Only a removal may have a tilde: make keeps removals to itself, while a shell
 * may expand `~name` (docs/imagebuilder.md §2).
 */
const PACKAGE_ARGUMENT = /^(?:-~?)?[A-Za-z0-9][A-Za-z0-9._+-]*$/;

/** Returns whether make can be given the package. Names that upstream publishes may have any characters. */
export const isPackageArgument = (name: string): boolean => PACKAGE_ARGUMENT.test(name);

const HEX = /^[0-9a-f]{1,64}$/;
const SAFE_PATH = /^(?:\/(?!\.\.?(?:\/|$))[A-Za-z0-9._+-]+)+$/;

/** `make info`. */
export const makeInfoCommand = (): string[] => ['make', 'info'];

/** Makes the ImageBuilder's signing keys and their certificate where they are missing, as every build does first. */
export const makeKeysCommand = (): string[] => ['make', '_check_keys'];

/** `make manifest`; names are printed without ABI version. Throws `UnsafeArgumentError`. */
export function makeManifestCommand(command: ManifestCommand): string[] {
  return ['make', 'manifest', ...selection(command), 'STRIP_ABI=1'];
}

/** `make image`, arguments in the order of asu/build.py. Throws `UnsafeArgumentError`. */
export function makeImageCommand({ extraImageName, binDir, files, rootfsSizeMb, filesystem, ...command }: ImageCommand): string[] {
  return [
    'make',
    'image',
    ...selection(command),
    `EXTRA_IMAGE_NAME=${checked('EXTRA_IMAGE_NAME', extraImageName, HEX.test(extraImageName))}`,
    `BIN_DIR=${checked('BIN_DIR', binDir, SAFE_PATH.test(binDir))}`,
    ...(files === undefined ? [] : [`FILES=${checked('FILES', files, SAFE_PATH.test(files))}`]),
    ...(rootfsSizeMb === undefined
      ? []
      : [`ROOTFS_PARTSIZE=${checked('ROOTFS_PARTSIZE', rootfsSizeMb, Number.isSafeInteger(rootfsSizeMb) && rootfsSizeMb > 0)}`]),
    ...(filesystem === undefined
      ? []
      : [`ROOTFS_FILESYSTEM=${checked('ROOTFS_FILESYSTEM', filesystem, FILESYSTEMS.includes(filesystem))}`]),
  ];
}

const MAX_IMAGE_JOBS = 64;

/**
 * Returns the argument for `make image` by which it makes several images at the same time (decision 66). It consists of
 * our own words and a number. What the jobs print comes job by job, as if one came after the other.
 */
export const imageJobsArgument = (jobs: number): string =>
  `NO_TRACE_MAKE=make -j${checked('NO_TRACE_MAKE', jobs, Number.isSafeInteger(jobs) && jobs > 0 && jobs <= MAX_IMAGE_JOBS)} --output-sync=target V=s`;

const selection = ({ profile, packages }: ManifestCommand): string[] => [
  `PROFILE=${checked('PROFILE', profile, isText(profile) && PROFILE_NAME.test(profile))}`,
  `PACKAGES=${packages.map((name) => checked('PACKAGES', name, isText(name) && isPackageArgument(name))).join(' ')}`,
];

/**
 * Returns whether the value is text. A stored order may be manipulated, and an array of one string would pass a regular
 * expression.
 */
const isText = (value: unknown): boolean => typeof value === 'string';

function checked<T extends string | number>(variable: string, value: T, isSafe: boolean): T {
  if (!isSafe) throw new UnsafeArgumentError(variable);
  return value;
}
