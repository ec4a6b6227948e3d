import { type BuildProblem, type FailureAnalysis, outputLines } from './failure-analysis.ts';
import { withoutVersion } from './package-problems.ts';

/**
 * Returns what ImageBuilder found impossible in a request apart from its packages: an image too big for its device or
 * partition, an unknown profile or file system, a package whose script fails. Returns `undefined` if it reported
 * nothing of the kind.
 */
export const analyseImageErrors = (stderr: string, stdout = ''): FailureAnalysis | undefined => imageErrorsOf(outputLines(stdout, stderr));

/** Returns the same for lines of output. */
export function imageErrorsOf(lines: readonly string[]): FailureAnalysis | undefined {
  return tooBig(lines) ?? unknownProfile(lines) ?? unknownFilesystem(lines) ?? failedScript(lines);
}

const TOO_BIG = /^\s*WARNING: Image file (\S+) is too big: (\d+) > (\d+)$/;
const FEW_BLOCKS = /failed to allocate \d+ blocks, out of space\?/;

/** Matches the words that asu/build.py looks for. The build of a flash device then succeeds, without an image. */
function tooBig(lines: readonly string[]): FailureAnalysis | undefined {
  let partition: BuildProblem | undefined;
  const errors = lines.flatMap((line): BuildProblem[] => {
    const [, path, size, limit] = TOO_BIG.exec(line) ?? [];
    if (path !== undefined) return [tooBigForFlash(path.slice(path.lastIndexOf('/') + 1), Number(size), Number(limit))];
    if (FEW_BLOCKS.test(line)) {
      partition ??= tooBigForPartition(lines);
      return [partition];
    }
    if (line.includes('is too big') || line.includes('out of space?')) return [{ code: 'image_too_big', message: line.trim() }];
    return [];
  });
  return tooBigFor(errors);
}

/** Nothing is too big where there are no errors. */
export function tooBigFor(errors: readonly BuildProblem[]): FailureAnalysis | undefined {
  const first = errors[0];
  return first && { detail: `Selected packages exceed device storage: ${first.message}`, errors };
}

const tooBigForFlash = (image: string, size: number, limit: number): BuildProblem => ({
  code: 'image_too_big',
  image,
  size,
  limit,
  message: `${image} has ${size} bytes, the device takes ${limit}`,
});

/**
 * make_ext4fs prints the size that the file system shall have. It prints how much more it needs only for the file at
 * which it stopped.
 */
function tooBigForPartition(lines: readonly string[]): BuildProblem {
  const size = lines
    .slice(lines.indexOf('Creating filesystem with parameters:') + 1)
    .map((line) => /^ {4}Size: (\d+)$/.exec(line)?.[1])
    .find((bytes) => bytes !== undefined);
  if (size === undefined) return { code: 'image_too_big', message: 'the root file system is too small (rootfs_size_mb)' };
  const limit = Number(size);
  const message = `the root file system of ${Math.floor(limit / 2 ** 20)} MiB is too small (rootfs_size_mb)`;
  return { code: 'image_too_big', limit, message };
}

function unknownProfile(lines: readonly string[]): FailureAnalysis | undefined {
  const profile = firstMatch(lines, /^Profile "([^"]*)" does not exist!$/);
  if (profile === undefined) return undefined;
  const message = `Unsupported profile: ${profile}. The ImageBuilder does not know it`;
  return { detail: message, errors: [{ code: 'profile_missing', profile, message }] };
}

function unknownFilesystem(lines: readonly string[]): FailureAnalysis | undefined {
  const filesystem = firstMatch(lines, /^Filesystem "([^"]*)" is not available!$/);
  if (filesystem === undefined) return undefined;
  const available = (firstMatch(lines, /^Available filesystems: (.*)$/) ?? '').split(/\s+/).filter((name) => name !== '');
  const message = `Unsupported filesystem: ${filesystem}. Available: ${available.join(', ')}`;
  return { detail: message, errors: [{ code: 'filesystem_unavailable', filesystem, available, message }] };
}

const SCRIPT = /^postinst script (\S+) has failed with exit code (\d+)$/;

/** A signal (128 and up) ended the script: it met a limit of this machine, which is not the package's fault. */
function failedScript(lines: readonly string[]): FailureAnalysis | undefined {
  const match = lines.map((line) => SCRIPT.exec(line)).find((found) => found !== null);
  const [, path, code] = match ?? [];
  const exit_code = Number(code);
  if (path === undefined || exit_code >= 128) return undefined;
  const file = path.slice(path.lastIndexOf('/') + 1);
  // opkg: name.postinst; apk: name-version.X<hash>.post-install
  const name = withoutVersion(file.replace(/(?:\.X[0-9a-f]+)?\.post-?inst(?:all)?$/, ''));
  const message = `the post-install script of ${name} failed with exit code ${exit_code}`;
  return { detail: `Impossible package selection: ${message}`, errors: [{ code: 'script_failed', packages: [name], exit_code, message }] };
}

function firstMatch(lines: readonly string[], pattern: RegExp): string | undefined {
  return lines.map((line) => pattern.exec(line)?.[1]).find((value) => value !== undefined);
}
