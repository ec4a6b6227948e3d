import { type DownloadTrouble, downloadTroubles } from './download-troubles.ts';
import { type BuildProblem, type FailureAnalysis, outputLines } from './failure-analysis.ts';
import { analyseImageErrors } from './image-errors.ts';
import { analysePackageErrors } from './package-errors.ts';

/** What a run of make left when it did not make what it should. */
export interface FailedRun {
  /** `null`: ended by a signal. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** It had no network on purpose: that no index could be fetched means nothing. */
  readonly isOffline?: boolean;
}

/** Deterministic: the same request would fail again, so the answer may be remembered. Infrastructure: it may well not. */
export interface ClassifiedFailure {
  readonly kind: 'deterministic' | 'infrastructure';
  readonly detail: string;
  readonly errors?: readonly BuildProblem[];
}

/** Repositories of the client's own, name → URL: what cannot be trusted there is the client's to mend. */
export type OwnRepositories = Readonly<Record<string, string>>;

/**
 * Whose fault a failed run of make was. Nothing counts as the request's fault while the machine was short of something, and
 * no package counts as missing while a feed or a package could not be fetched or verified, unless it is the client's own
 * repository that has no good signature; what is not understood is not the request's fault either. The texts for image
 * size and for the rest are those of asu/build.py.
 */
export function classifyFailure(
  { exitCode, stdout, stderr, isOffline = false }: FailedRun,
  ownRepositories: OwnRepositories = {},
): ClassifiedFailure {
  const lines = outputLines(stdout, stderr);
  const shortage = shortageOf(lines, exitCode);
  if (shortage !== undefined) return { kind: 'infrastructure', detail: shortage };

  const image = analyseImageErrors(stderr, stdout);
  if (image !== undefined) return deterministic(image);

  const packages = analysePackageErrors(stderr, stdout);
  if (packages !== undefined && !isMissing(packages)) return deterministic(packages);

  const troubles = downloadTroubles(lines).filter(({ url }) => !(isOffline && url !== undefined && INDEX.test(url)));
  const untrusted = untrustedRepositories(troubles, ownRepositories);
  const trouble = troubles.find(({ kind, url }) => !(kind === 'signature' && nameOf(url, ownRepositories) !== undefined));
  if (trouble !== undefined) return { kind: 'infrastructure', detail: trouble.message };
  if (packages !== undefined) return deterministic(withUntrusted(packages, untrusted));

  return {
    kind: 'infrastructure',
    detail: exitCode === 0 ? 'No JSON file found' : 'Error while building firmware. See stdout/stderr',
  };
}

const INDEX = /\/(?:Packages(?:\.gz|\.sig)?|packages\.adb)$/;

type Untrusted = Extract<BuildProblem, { code: 'repository_untrusted' }>;

function untrustedRepositories(troubles: readonly DownloadTrouble[], own: OwnRepositories): Untrusted[] {
  const names = troubles.flatMap(({ kind, url }) => (kind === 'signature' ? (nameOf(url, own) ?? []) : []));
  return [...new Set(names)].map((repository) => ({
    code: 'repository_untrusted',
    repository,
    url: own[repository] ?? '',
    message: `repository ${repository} (${own[repository]}) was left out: its index is not signed by a key in repository_keys`,
  }));
}

/** opkg: the URL of a directory; apk: that of the index itself. */
const nameOf = (url: string | undefined, own: OwnRepositories): string | undefined =>
  url === undefined
    ? undefined
    : Object.keys(own).find((name) => own[name] === url || url.slice(0, url.lastIndexOf('/')) === own[name]?.replace(/\/+$/, ''));

const withUntrusted = ({ detail, errors }: FailureAnalysis, untrusted: readonly Untrusted[]): FailureAnalysis => ({
  detail: `${detail}${untrusted.map(({ message }) => `; ${message}`).join('')}`,
  errors: [...errors, ...untrusted],
});

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
  // What apk's package_install exits with is the number of its errors.
  [
    /^make(?:\[\d+\])?: \*\*\* .* (?:Killed|Terminated)$|^(?:\S+: line \d+: +)?\d+ Killed\b|^make(?:\[\d+\])?: \*\*\* (?!.*\bpackage_install\]).*\bError 137$/,
    'the build was killed',
  ],
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

const MAX_QUOTE = 160;
const shortened = (line: string): string => (line.length > MAX_QUOTE ? `${line.slice(0, MAX_QUOTE)}…` : line);
