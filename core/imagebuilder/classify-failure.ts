import { type BuildProblem, type FailureAnalysis, outputLines } from './failure-analysis.ts';
import { analyseImageErrors } from './image-errors.ts';
import { analysePackageErrors } from './package-errors.ts';

/** What a run of make left when it did not make what it should. */
export interface FailedRun {
  /** `null`: ended by a signal. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Deterministic: the same request would fail again, so the answer may be remembered. Infrastructure: it may well not. */
export interface ClassifiedFailure {
  readonly kind: 'deterministic' | 'infrastructure';
  readonly detail: string;
  readonly errors?: readonly BuildProblem[];
}

/**
 * Whose fault a failed run of make was. Nothing counts as the request's fault while the machine was short of something, and
 * no package counts as missing while a feed or a package could not be fetched; what is not understood is not the request's
 * fault either. The texts for image size and for the rest are those of asu/build.py.
 */
export function classifyFailure({ exitCode, stdout, stderr }: FailedRun): ClassifiedFailure {
  const lines = outputLines(stdout, stderr);
  const shortage = shortageOf(lines, exitCode);
  if (shortage !== undefined) return { kind: 'infrastructure', detail: shortage };

  const image = analyseImageErrors(stderr, stdout);
  if (image !== undefined) return deterministic(image);

  const packages = analysePackageErrors(stderr, stdout);
  const download = failedDownload(lines);
  if (download !== undefined && (packages === undefined || isMissing(packages))) return { kind: 'infrastructure', detail: download };
  if (packages !== undefined) return deterministic(packages);

  return {
    kind: 'infrastructure',
    detail: exitCode === 0 ? 'No JSON file found' : 'Error while building firmware. See stdout/stderr',
  };
}

const deterministic = ({ detail, errors }: FailureAnalysis): ClassifiedFailure => ({ kind: 'deterministic', detail, errors });

const isMissing = ({ errors }: FailureAnalysis): boolean =>
  errors.some(({ code }) => code === 'package_missing' || code === 'dependency_missing');

/** What a machine says that lacks something, and what we say of it. Whole messages of C libraries, shells, make and ImageBuilder. */
const SHORTAGES: readonly (readonly [RegExp, string])[] = [
  [
    /\b(?:No space left on device|Disk quota exceeded|Only have -?\d+kb available on filesystem)\b/,
    'the build machine has no disk space left',
  ],
  [/\bFile size limit exceeded\b/, 'a file grew beyond the limit of a build'],
  [/\b(?:Cannot allocate memory|virtual memory exhausted|Out of memory|out of memory)\b/, 'the build machine has no memory left'],
  [
    /\b(?:fork: .*Resource temporarily unavailable|vfork: Resource temporarily unavailable)\b/,
    'the build needs more processes than it may have',
  ],
  [/^Prerequisite check failed\./, 'the build machine lacks something that ImageBuilder needs'],
  [/^make(?:\[\d+\])?: \*\*\* .* (?:Killed|Terminated)$|^(?:\S+: line \d+: +)?\d+ Killed\b|\bError 137$/, 'the build was killed'],
];

function shortageOf(lines: readonly string[], exitCode: number | null): string | undefined {
  for (const [pattern, meaning] of SHORTAGES) {
    const line = lines.find((candidate) => pattern.test(candidate));
    if (line !== undefined) return `Build failed: ${meaning} (${shortened(line.trim())})`;
  }
  if (exitCode === null || exitCode >= 128)
    return `Build failed: the build was killed${exitCode === null ? '' : ` (exit code ${exitCode})`}`;
  return undefined;
}

const WGET_CODES: Readonly<Record<string, string>> = {
  '4': 'network failure',
  '5': 'TLS failure',
  '8': 'the server answered with an error',
};

/** The first thing that could not be fetched, as opkg or apk tells it. */
function failedDownload(lines: readonly string[]): string | undefined {
  for (const line of lines) {
    const [, opkgUrl, code] = /^ \* opkg_download: Failed to download (\S+), wget returned (\d+)\.$/.exec(line) ?? [];
    if (opkgUrl !== undefined) return `Could not download ${opkgUrl}: ${WGET_CODES[code ?? ''] ?? `wget returned ${code}`}`;
    const list = /^\*\*\* Failed to download the package list from (\S+)$/.exec(line)?.[1];
    if (list !== undefined) return `Could not download ${list}`;
    if (line === 'Signature check failed.') return 'Could not verify a package index: signature check failed';
    const unfetched = /^ \* opkg_install_pkg: Failed to download (\S+)\. /.exec(line)?.[1];
    if (unfetched !== undefined) return `Could not download package ${unfetched}`;
    const damaged = /^ \* opkg_install_pkg: Checksum or size mismatch for package (\S+)\. /.exec(line)?.[1];
    if (damaged !== undefined) return `Could not download package ${damaged}: it is not what the package index says`;
    const [, apkUrl, problem] = /^WARNING: [a-z ]*(https?:\/\/\S+): (.+)$/.exec(line) ?? [];
    if (apkUrl !== undefined) return `Could not download ${apkUrl}: ${problem}`;
    const [, name, reason] = APK_PACKAGE.exec(line) ?? [];
    if (name !== undefined && reason !== undefined && !reason.startsWith('trying to overwrite '))
      return `Could not download package ${name}: ${reason}`;
  }
  return undefined;
}

/** `ERROR: curl-8.10.1-r1: unexpected end of file`. */
const APK_PACKAGE = /^ERROR: (\S+-\d[^\s:]*): (.+)$/;

const MAX_QUOTE = 160;
const shortened = (line: string): string => (line.length > MAX_QUOTE ? `${line.slice(0, MAX_QUOTE)}…` : line);
