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
/** The words of make_ext4fs, with the number of blocks that it lacked. */
export const FEW_BLOCKS = /\bfailed to allocate (\d+) blocks, out of space\?/;
/** The words of mkfs.ubifs. */
export const FEW_ERASE_BLOCKS = /\bmax_leb_cnt too low\b/;

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
    const problem = tooBigInOtherWords(line);
    return problem === undefined ? [] : [problem];
  });
  return tooBigFor(errors.toSorted(byImage));
}

/** Sorts complaints by image: jobs that make several images at the same time complain in any order. */
function byImage(a: BuildProblem, b: BuildProblem): number {
  const [first, second] = [a, b].map((problem) => `${'image' in problem ? problem.image : ''} ${problem.message}`);
  return (first ?? '') < (second ?? '') ? -1 : first === second ? 0 : 1;
}

/**
 * The complaints of image tools, each with what it says of sizes. mktplinkfw and its relatives: "images are too big by
 * 131072 bytes". tplink-safeloader: "file-system partition too big (more than 7798784 bytes)". Several makers' tools:
 * "kernel image too big", "Kernel size exceeds the limit".
 */
const EXCESS = /\bimages? (?:are|is) too big by (\d+) bytes\b/;
const FULL_PARTITION = /(?<=^|[\s:])([\w-]{1,64}) partition too big \(more than (\d{1,20}) bytes\)/;
const OTHER_WORDS =
  /\bis too big\b|\bimages? too big\b|\bpartition too big\b|out of space\?|\b(?:kernel|image|rootfs) size exceeds the limit\b/i;

/** Present in every such complaint: other lines, which may be long and many, are read once. */
const HINT = /too big|too low|out of space|exceeds/i;

function tooBigInOtherWords(line: string): BuildProblem | undefined {
  if (!HINT.test(line)) return undefined;
  const excess = EXCESS.exec(line)?.[1];
  if (excess !== undefined) return { code: 'image_too_big', message: `the images have ${excess} bytes more than the device takes` };
  const [, partition, limit] = FULL_PARTITION.exec(line) ?? [];
  if (partition !== undefined)
    return { code: 'image_too_big', limit: Number(limit), message: `the ${partition} partition of the device takes ${limit} bytes` };
  if (FEW_ERASE_BLOCKS.test(line))
    return { code: 'image_too_big', part: 'rootfs', message: `the UBIFS file system is too small (${line.trim()})` };
  return OTHER_WORDS.test(line) ? { code: 'image_too_big', message: line.trim() } : undefined;
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
  const problem = { code: 'image_too_big', part: 'rootfs', setting: 'rootfs_size_mb' } as const;
  if (size === undefined) return { ...problem, message: 'the root file system is too small (rootfs_size_mb)' };
  const limit = Number(size);
  const message = `the root file system of ${Math.floor(limit / 2 ** 20)} MiB is too small (rootfs_size_mb)`;
  return { ...problem, limit, message };
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

/** ImageBuilder's own words for a script that failed when it ran the scripts of all packages. */
const SCRIPT = /^postinst script (\S+) has failed with exit code (\d+)$/;
/** opkg's words for a script that it ran itself. */
const OPKG_SCRIPT = /^ \* pkg_run_script: package "([^"]+)" (\w+) script returned status (\d+)\.?$/;

/** A signal (128 and up) ended the script: it met a limit of this machine, which is not the package's fault. */
function failedScript(lines: readonly string[]): FailureAnalysis | undefined {
  const match = lines.map((line) => SCRIPT.exec(line)).find((found) => found !== null);
  const [, path, code] = match ?? [];
  const exit_code = Number(code);
  if (path === undefined) return failedOpkgScript(lines);
  if (exit_code >= 128) return undefined;
  const file = path.slice(path.lastIndexOf('/') + 1);
  // opkg: name.postinst; apk: name-version.X<hash>.post-install
  const name = withoutVersion(file.replace(/(?:\.X[0-9a-f]+)?\.post-?inst(?:all)?$/, ''));
  return scriptFailed(name, 'post-install', exit_code);
}

function failedOpkgScript(lines: readonly string[]): FailureAnalysis | undefined {
  const match = lines.map((line) => OPKG_SCRIPT.exec(line)).find((found) => found !== null);
  const [, name, script, code] = match ?? [];
  const exit_code = Number(code);
  if (name === undefined || script === undefined || exit_code >= 128) return undefined;
  return scriptFailed(name, script === 'postinst' ? 'post-install' : script, exit_code);
}

function scriptFailed(name: string, script: string, exit_code: number): FailureAnalysis {
  const message = `the ${script} script of ${name} failed with exit code ${exit_code}`;
  return { detail: `Impossible package selection: ${message}`, errors: [{ code: 'script_failed', packages: [name], exit_code, message }] };
}

function firstMatch(lines: readonly string[], pattern: RegExp): string | undefined {
  return lines.map((line) => pattern.exec(line)?.[1]).find((value) => value !== undefined);
}
