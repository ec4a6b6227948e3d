/** One thing that is wrong with what was asked for; part of the failure document's `errors`. */
export type BuildProblem = {
  readonly message: string;
} /** Nobody offers these packages. `providers`: the name stands for any of these, and none was chosen. */ & (
  | { readonly code: 'package_missing'; readonly packages: readonly string[]; readonly providers?: readonly string[] }
  /** The package needs another one that nobody offers; `needed_by` is what names it, where that is not the package itself. */
  | {
      readonly code: 'dependency_missing';
      readonly packages: readonly string[];
      readonly dependency: string;
      readonly needed_by?: string;
    }
  /** These packages exclude each other. */
  | { readonly code: 'package_conflict'; readonly packages: readonly string[] }
  /** These packages bring the same files. */
  | { readonly code: 'file_clash'; readonly packages: readonly string[]; readonly files: readonly string[] }
  /** A package is in the image with another version than was required, or not at all. */
  | { readonly code: 'version_mismatch'; readonly packages: readonly string[]; readonly required: string; readonly found?: string }
  /** The package's script failed while the root file system was made. */
  | { readonly code: 'script_failed'; readonly packages: readonly string[]; readonly exit_code: number }
  | { readonly code: 'image_too_big'; readonly image?: string; readonly size?: number; readonly limit?: number }
  /** The client's own repository has no signature of a key that the client gave: its packages do not count. */
  | { readonly code: 'repository_untrusted'; readonly repository: string; readonly url: string }
  | { readonly code: 'profile_missing'; readonly profile: string }
  | { readonly code: 'filesystem_unavailable'; readonly filesystem: string; readonly available: readonly string[] }
);

/** What went wrong, for people (`detail`) and for programs. */
export interface FailureAnalysis {
  readonly detail: string;
  readonly errors: readonly BuildProblem[];
}

/** ImageBuilder colours what it wants noticed. */
const ANSI_COLOUR = /\u001b\[[0-9;]*m/g;

/**
 * Real output has a few thousand lines, none of them long; scripts of packages may print anything. What is beyond this is
 * left out: lines from the middle, the ends of lines.
 */
const MAX_LINES = 20_000;
const MAX_LINE_LENGTH = 4_096;

/** Lines of ImageBuilder's output, without colours, stream after stream; bounded, so that reading them is. */
export const outputLines = (...streams: readonly string[]): string[] =>
  streams.flatMap((text) => {
    const lines = text.split(/\r?\n/);
    const kept = lines.length <= MAX_LINES ? lines : [...lines.slice(0, MAX_LINES / 2), ...lines.slice(-MAX_LINES / 2)];
    return kept.map((line) => line.slice(0, MAX_LINE_LENGTH).replace(ANSI_COLOUR, ''));
  });
