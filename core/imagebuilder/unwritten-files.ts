import type { FailureAnalysis } from './failure-analysis.ts';
import { belowRoot } from './package-problems.ts';

/** opkg's words for a file of a package that it could not create. It goes on, lists the package as installed, and make ends well. */
const UNWRITTEN = /^ \* wfopen: (\S.*): (?:No such file or directory|Not a directory)\.?$/;
/** The image's own files, without opkg's. */
const IN_IMAGE = /\/build_dir\/target-[^/]+\/root(?:\.orig)?-[^/]+\/(?!usr\/lib\/opkg\/)/;

const MAX_FILES = 100;

/**
 * Returns which files of packages are missing in the image, although their packages count as installed: a package
 * without entries for its directories (a repository's maker packed it wrongly). Returns `undefined` if none are.
 */
export function unwrittenFiles(lines: readonly string[]): FailureAnalysis | undefined {
  const paths = lines.map((line) => UNWRITTEN.exec(line)?.[1]).filter((path) => path !== undefined && IN_IMAGE.test(path));
  const files = [...new Set(paths.map((path = '') => belowRoot(path)))];
  const [first] = files;
  if (first === undefined) return undefined;
  const shown = files.length > 1 ? `${first} and ${files.length - 1} more are` : `${first} is`;
  const message = `${shown} missing in the image: the package that brings ${files.length > 1 ? 'them' : 'it'} has no directory for ${files.length > 1 ? 'them' : 'it'}`;
  return {
    detail: `Impossible package selection: ${message}`,
    errors: [{ code: 'files_missing', files: files.slice(0, MAX_FILES), message }],
  };
}
