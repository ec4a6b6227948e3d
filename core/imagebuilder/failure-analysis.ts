/** One problem of the request; part of the failure document's `errors`. */
export type BuildProblem = {
  readonly message: string;
} /**
 * No feed offers these packages. `providers`: the name stands for any of these, and the request chose none. `needed_by` is the
 * package that asks for the name, if the request does not.
 */ & (
  | {
      readonly code: 'package_missing';
      readonly packages: readonly string[];
      readonly providers?: readonly string[];
      readonly needed_by?: string;
    }
  /**
   * The package needs another one that no feed offers. `needed_by` is the package that names it, if that is another
   * one.
   */
  | {
      readonly code: 'dependency_missing';
      readonly packages: readonly string[];
      readonly dependency: string;
      readonly needed_by?: string;
    }
  /** The package cannot be installed: it is made for another architecture (`arch`), or apk gives no reason. */
  | { readonly code: 'package_uninstallable'; readonly packages: readonly string[]; readonly arch?: string }
  /**
   * These packages exclude each other; a single one excludes itself. `needed`: the one in `needed_by` needs the other in a
   * version that the image does not have.
   */
  | { readonly code: 'package_conflict'; readonly packages: readonly string[]; readonly needed?: string; readonly needed_by?: string }
  /** These packages bring the same files. */
  | { readonly code: 'file_clash'; readonly packages: readonly string[]; readonly files: readonly string[] }
  /** A package in the image has another version than required, or is missing. */
  | { readonly code: 'version_mismatch'; readonly packages: readonly string[]; readonly required: string; readonly found?: string }
  /** The package's script failed while the root file system was made. */
  | { readonly code: 'script_failed'; readonly packages: readonly string[]; readonly exit_code: number }
  /** make ended well and left no image of the device. */
  | { readonly code: 'no_images' }
  /**
   * `part`: it is the root file system that does not fit, and images of another one may. `setting` is the field of the
   * request that raises the limit; without it, the device sets the limit.
   */
  | {
      readonly code: 'image_too_big';
      readonly image?: string;
      readonly size?: number;
      readonly limit?: number;
      readonly part?: 'rootfs';
      readonly setting?: 'rootfs_size_mb';
    }
  /** The client's own repository has no signature of a key that the client gave: its packages do not count. */
  | { readonly code: 'repository_untrusted'; readonly repository: string; readonly url: string }
  /** The server of the client's own repository says that there is no package index. */
  | { readonly code: 'repository_not_found'; readonly repository: string; readonly url: string }
  /** Packages are missing, and the client's repositories replaced the ImageBuilder's own feeds. */
  | { readonly code: 'repositories_replaced' }
  /** An index was not signed by a trusted key. Not the request's fault, unless `repository_untrusted` says so. */
  | { readonly code: 'signature_invalid'; readonly url?: string }
  /** A package was not what its index says. Not the request's fault. */
  | { readonly code: 'checksum_mismatch'; readonly packages?: readonly string[]; readonly url?: string }
  /** The package manager could not write files of a package into the image. */
  | { readonly code: 'files_missing'; readonly files: readonly string[] }
  /** The server could not download an index or a package. Not the request's fault. `feed` is the name of its feed. */
  | { readonly code: 'download_failed'; readonly packages?: readonly string[]; readonly url?: string; readonly feed?: string }
  | { readonly code: 'profile_missing'; readonly profile: string }
  | { readonly code: 'filesystem_unavailable'; readonly filesystem: string; readonly available: readonly string[] }
);

/** The reason of a failure, for people (`detail`) and for programs. */
export interface FailureAnalysis {
  readonly detail: string;
  readonly errors: readonly BuildProblem[];
}

/** Matches the colours of ImageBuilder's output. */
const ANSI_COLOUR = /\u001b\[[0-9;]*m/g;

/**
 * Real output has less than a megabyte in a few thousand short lines, but package scripts may print anything. Beyond
 * these limits the middle of a stream and the end of a line are left out.
 */
const MAX_LINES = 20_000;
const MAX_CHARACTERS = 2 * 1024 * 1024;
const MAX_LINE_LENGTH = 4_096;

/** Returns the lines of ImageBuilder's output without colours, stream after stream, up to the limits. */
export const outputLines = (...streams: readonly string[]): string[] =>
  streams.flatMap((text) => {
    const first = firstLines(text);
    return [...first.lines, ...lastLines(text, first.end)];
  });

/** Reads the first half of what may be read. `end` is the start of the first line that was not read. */
function firstLines(text: string): { lines: string[]; end: number } {
  const lines: string[] = [];
  let characters = 0;
  let start = 0;
  while (start < text.length && lines.length < MAX_LINES / 2 && characters < MAX_CHARACTERS / 2) {
    const newline = text.indexOf('\n', start);
    const end = newline === -1 ? text.length : newline;
    lines.push(plainLine(text, start, end));
    characters += Math.min(end - start, MAX_LINE_LENGTH);
    start = end + 1;
  }
  return { lines, end: start };
}

/** Reads the other half, from the end back to `begin`. */
function lastLines(text: string, begin: number): string[] {
  const lines: string[] = [];
  let characters = 0;
  let end = text.endsWith('\n') ? text.length - 1 : text.length;
  while (end >= begin && lines.length < MAX_LINES / 2 && characters < MAX_CHARACTERS / 2) {
    const start = Math.max(begin, end === 0 ? 0 : text.lastIndexOf('\n', end - 1) + 1);
    lines.push(plainLine(text, start, end));
    characters += Math.min(end - start, MAX_LINE_LENGTH);
    end = start - 1;
  }
  return lines.reverse();
}

function plainLine(text: string, start: number, end: number): string {
  const isCarriageReturn = end > start && text.charCodeAt(end - 1) === 13;
  return text.slice(start, Math.min(isCarriageReturn ? end - 1 : end, start + MAX_LINE_LENGTH)).replace(ANSI_COLOUR, '');
}

/** The largest number of causes that is searched for: a person fixes the first few. */
export const MAX_PROBLEMS = 1_000;

/** The room for problems in a failure document: a person reads the first few lines. */
const MAX_PROBLEMS_LENGTH = 64 * 1024;
const MAX_LIST_LENGTH = 100;
const MAX_TEXT_LENGTH = 500;

/**
 * Returns the problems that fit into a failure document, and at least the first. Lists and texts are cut to what people
 * read.
 */
export function documentedProblems(problems: readonly BuildProblem[]): readonly BuildProblem[] {
  const kept: BuildProblem[] = [];
  let length = 0;
  for (const problem of problems) {
    const shortened = Object.fromEntries(Object.entries(problem).map(([key, value]) => [key, shortenedValue(value)])) as BuildProblem;
    length += JSON.stringify(shortened).length;
    if (kept.length > 0 && length > MAX_PROBLEMS_LENGTH) break;
    kept.push(shortened);
  }
  return kept;
}

function shortenedValue(value: unknown): unknown {
  if (typeof value === 'string') return value.length <= MAX_TEXT_LENGTH ? value : `${value.slice(0, MAX_TEXT_LENGTH)}…`;
  return Array.isArray(value) ? value.slice(0, MAX_LIST_LENGTH).map(shortenedValue) : value;
}
