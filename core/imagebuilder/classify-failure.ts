import { type DownloadTrouble, downloadTroubles, type Fetched, NOTHING_FETCHED } from './download-troubles.ts';
import { type BuildProblem, documentedProblems, type FailureAnalysis, outputLines } from './failure-analysis.ts';
import { faultyRepositories, type OwnRepositories, replacedFeeds } from './faulty-repositories.ts';
import { imageErrorsOf } from './image-errors.ts';
import { packageErrorsOf } from './package-errors.ts';
import { unwrittenFiles } from './unwritten-files.ts';

/** The output of a run of make that failed. */
export interface FailedRun {
  /** `null` if a signal ended it. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Whether it left images although it failed, or although their list is missing. */
  readonly hasImages?: boolean;
}

/** A failure is deterministic if the same request would fail again, so that its answer may be remembered. */
export interface ClassifiedFailure {
  readonly kind: 'deterministic' | 'infrastructure';
  readonly detail: string;
  readonly errors?: readonly BuildProblem[];
}

/**
 * Returns whose fault a failed run of make was. A failure is not the request's fault while the machine lacked
 * something, or if its output is not understood. No package or file counts as missing and no script as faulty while a
 * feed or a package could not be fetched or verified, unless it is the client's own repository that has no good
 * signature or does not exist. The texts for image size and for the rest are those of asu/build.py.
 */
export function classifyFailure(
  { exitCode, stdout, stderr, hasImages }: FailedRun,
  ownRepositories: OwnRepositories = {},
  fetched: Fetched = NOTHING_FETCHED,
  mode: 'append' | 'replace' = 'append',
): ClassifiedFailure {
  const lines = outputLines(stdout, stderr);
  const shortage = shortageOf(lines, exitCode);
  if (shortage !== undefined) return { kind: 'infrastructure', detail: shortage };

  const troubles = downloadTroubles(lines, fetched);
  const faults = faultyRepositories(troubles, ownRepositories);
  const trouble = troubles.find((one) => !faults.explains(one));
  /** Scripts and files may only lack the package that could not be downloaded. */
  const isIncomplete = trouble !== undefined && exitCode !== 0;

  const image = imageErrorsOf(lines);
  if (image !== undefined && !(isIncomplete && isFailedScript(image))) return deterministic(image);

  const packages = packageErrorsOf(lines);
  if (packages !== undefined && !isMissing(packages)) return deterministic(packages);
  const unwritten = packages === undefined && !isIncomplete ? unwrittenFiles(lines) : undefined;
  if (unwritten !== undefined) return deterministic(unwritten);

  // Every package was installed, or make would not have ended well.
  if (exitCode === 0 && packages === undefined && !hasImages) {
    const line = lines.find((one) => DISK_ERROR.test(one));
    return line === undefined ? deterministic(NO_IMAGES) : { kind: 'infrastructure', detail: blamed(DISK_FAILED, line) };
  }

  if (trouble !== undefined) return notOfTheRequest(trouble);
  const unwritable = packages && lines.find((line) => SHELL_WRITE_ERROR.test(line));
  if (unwritable !== undefined) return { kind: 'infrastructure', detail: blamed(DISK_FAILED, unwritable) };
  const overlooked = packages === undefined ? [] : overlookedPackages(packages, fetched);
  if (overlooked.length > 0) return notRead(overlooked);
  if (packages !== undefined) return deterministic(withReasons(packages, [...faults.problems, ...replacedFeeds(ownRepositories, mode)]));

  return {
    kind: 'infrastructure',
    detail: exitCode === 0 ? 'No JSON file found' : 'Error while building firmware. See stdout/stderr',
  };
}

/** Package scripts meet such errors in the sandbox, too: they count only where nothing else explains the failure. */
const DISK_ERROR = /: (?:Input\/output error|Read-only file system)$/;
/** dash's words for a write of its own that failed, on a full disk too: `sh: 12: printf: printf: I/O error`. */
const SHELL_WRITE_ERROR = /: \d+: (echo|printf): \1: I\/O error$/;
const DISK_FAILED = 'the build machine failed to read or write a file';

const NO_IMAGES_MESSAGE = 'ImageBuilder made no image of this device and reported no error. See stdout/stderr';
const NO_IMAGES: FailureAnalysis = { detail: NO_IMAGES_MESSAGE, errors: [{ code: 'no_images', message: NO_IMAGES_MESSAGE }] };

function notOfTheRequest({ kind, url, package: name, message }: DownloadTrouble): ClassifiedFailure {
  const failure: ClassifiedFailure = { kind: 'infrastructure', detail: message };
  const at = url === undefined ? {} : { url };
  if (kind === 'signature') return { ...failure, errors: documentedProblems([{ code: 'signature_invalid', ...at, message }]) };
  if (kind !== 'checksum') return failure;
  const packages = name === undefined ? {} : { packages: [name] };
  return { ...failure, errors: documentedProblems([{ code: 'checksum_mismatch', ...packages, ...at, message }]) };
}

const withReasons = ({ detail, errors }: FailureAnalysis, reasons: readonly BuildProblem[]): FailureAnalysis => ({
  detail: `${detail}${reasons.map(({ message }) => `; ${message}`).join('')}`,
  errors: [...errors, ...reasons],
});

/** The sentence is for people; `errors` has more. */
const MAX_DETAIL_LENGTH = 4_000;

const deterministic = ({ detail, errors }: FailureAnalysis): ClassifiedFailure => ({
  kind: 'deterministic',
  detail: detail.slice(0, MAX_DETAIL_LENGTH),
  errors: documentedProblems(errors),
});

/**
 * Returns the packages that the package manager calls missing although an index lists them that the build was given: it
 * has lost the index, on a full disk for example.
 */
const overlookedPackages = ({ errors }: FailureAnalysis, { listed }: Fetched): string[] =>
  errors.flatMap((error) =>
    error.code === 'package_missing' && error.providers === undefined ? error.packages.filter((name) => listed.has(name)) : [],
  );

function notRead(packages: readonly string[]): ClassifiedFailure {
  const shown = packages.slice(0, MAX_OVERLOOKED).join(', ');
  const more = packages.length > MAX_OVERLOOKED ? ` and ${packages.length - MAX_OVERLOOKED} more` : '';
  return { kind: 'infrastructure', detail: `Build failed: ImageBuilder has lost a package index, and misses ${shown}${more}` };
}

const MAX_OVERLOOKED = 5;

const isMissing = ({ errors }: FailureAnalysis): boolean =>
  errors.some(({ code }) => code === 'package_missing' || code === 'dependency_missing');

const isFailedScript = ({ errors }: FailureAnalysis): boolean => errors.some(({ code }) => code === 'script_failed');

type Pattern = (line: string) => boolean;

const matching =
  (pattern: RegExp): Pattern =>
  (line) =>
    pattern.test(line);

const FORK = /\bv?fork: /;
const NO_PROCESS = 'Resource temporarily unavailable';

/** The search has two steps: one expression for both would try every `fork: ` of a line against all that follows. */
const isForkRefused: Pattern = (line) =>
  line.includes(NO_PROCESS) && line.lastIndexOf(NO_PROCESS) > (FORK.exec(line)?.index ?? line.length);

/**
 * The messages of a machine that lacks something, and the server's words for them. They are whole messages of C
 * libraries, shells, make and ImageBuilder.
 */
const SHORTAGES: readonly (readonly [Pattern, string])[] = [
  [
    matching(/\b(?:No space left on device|Disk quota exceeded|Only have -?\d+kb available on filesystem)\b/),
    'the build machine has no disk space left',
  ],
  [matching(/\bFile size limit exceeded\b/), 'a file grew beyond the limit of a build'],
  [matching(/\b(?:Cannot allocate memory|virtual memory exhausted|Out of memory|out of memory)\b/), 'the build machine has no memory left'],
  [isForkRefused, 'the build needs more processes than it may have'],
  [matching(/^Prerequisite check failed\./), 'the build machine lacks something that ImageBuilder needs'],
  // apk's package_install exits with the number of its errors.
  [
    matching(
      /^make(?:\[\d+\])?: \*\*\* .* (?:Killed|Terminated)$|^(?:\S+: line \d+: +)?\d+ Killed\b|^make(?:\[\d+\])?: \*\*\* (?!.*\bpackage_install\]).*\bError 137$/,
    ),
    'the build was killed',
  ],
];

function shortageOf(lines: readonly string[], exitCode: number | null): string | undefined {
  for (const [matches, meaning] of SHORTAGES) {
    const line = lines.find(matches);
    if (line !== undefined) return blamed(meaning, line);
  }
  if (exitCode === null || exitCode >= 128)
    return `Build failed: the build was killed${exitCode === null ? '' : ` (exit code ${exitCode})`}`;
  return undefined;
}

const blamed = (meaning: string, line: string): string => `Build failed: ${meaning} (${shortened(line.trim())})`;

const MAX_QUOTE = 160;
const shortened = (line: string): string => (line.length > MAX_QUOTE ? `${line.slice(0, MAX_QUOTE)}…` : line);
