import { join } from 'node:path';
import { BuildFailure, type BuildOutput, type BuiltFile, type InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import { ARCHIVES, rootfsPartsizeMb, unavailableFilesystem, withoutFilesystems } from '#core/imagebuilder/dot-config.ts';
import { outputLines } from '#core/imagebuilder/failure-analysis.ts';
import { tooBigFor } from '#core/imagebuilder/image-errors.ts';
import { namesLeftOut, overfullFilesystems } from '#core/imagebuilder/overfull-filesystems.ts';
import { sufficientSize } from '#core/imagebuilder/sufficient-size.ts';
import type { BuildRequest, Filesystem } from '#core/request/build-request.ts';
import type { Warning } from '#core/warning.ts';
import { hasCode } from '#lib/has-code.ts';
import { putFile } from '#runner/files/put-file.ts';
import { removeTree } from '#runner/files/remove-tree.ts';
import { UnexpectedFileError } from '#runner/files/unexpected-file.ts';
import { readBuiltProfile } from './output/built-profile.ts';
import { saysOtherwise } from './output/failure-of.ts';
import type { RootSize } from './output/installed-packages.ts';
import { type OutputLimits, readingTime } from './output/output-limits.ts';
import { overflowingImages } from './output/overflowing-images.ts';
import { takeOutput } from './output/read-output.ts';
import type { CommandResult } from './process/run-command.ts';
import type { PreparedTree } from './tree/prepare-tree.ts';

export interface FittingImagesDeps {
  readonly request: BuildRequest;
  /** The names under which `profiles.json` may list the profile. */
  readonly profileIds: readonly string[];
  readonly tree: string;
  readonly uid: number | undefined;
  /** The name of the ImageBuilder's archive. */
  readonly imagebuilder: string;
  /** The path of BIN_DIR below the tree. */
  readonly binDir: string;
  /** The directory for the images, out of the build's reach. */
  readonly destination: string;
  readonly prepared: Pick<PreparedTree, 'config' | 'imageFilesystems'>;
  readonly limits: OutputLimits;
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
  /** Runs `make image`. */
  readonly makeImage: () => Promise<CommandResult>;
  /** Returns why a run left no images. */
  readonly failureOf: (result: CommandResult, files: readonly BuiltFile[]) => BuildFailure | InfrastructureFailure;
  readonly measureRoot: () => Promise<RootSize>;
}

export interface FittingImages extends Pick<BuildOutput, 'metadata' | 'profile' | 'files'> {
  /** The run that made them. */
  readonly result: CommandResult;
  readonly leftOut: readonly Filesystem[];
  readonly warnings: readonly Warning[];
}

type Run =
  | { readonly result: CommandResult; readonly failure: BuildFailure }
  | { readonly result: CommandResult; readonly files: BuiltFile[]; readonly built: Pick<BuildOutput, 'metadata' | 'profile'> };

/** A run of `make image` in which root file systems did not fit. */
interface Overfull {
  readonly filesystems: readonly Filesystem[];
  readonly problems: NonNullable<BuildFailure['evidence']['errors']>;
  readonly lines: readonly string[];
}

/**
 * Makes the images, in one run of `make image`. Where the request asks for no file system and the root file system of
 * one kind does not fit, it runs again without that kind (decision 58): every image that is delivered comes from a run
 * that had no complaint. Throws the failure of the last run, with the size that would be enough.
 */
export async function fittingImages(deps: FittingImagesDeps): Promise<FittingImages> {
  const overfull: Overfull[] = [];
  for (;;) {
    const run = await runOnce(deps);
    const leftOut = overfull.flatMap(({ filesystems }) => filesystems);
    if ('built' in run) {
      const { built, files, result } = run;
      return {
        ...built,
        files,
        result,
        leftOut,
        warnings: leftOut.length === 0 ? [] : [await warningOf(overfull, built.profile.images, deps)],
      };
    }
    const lines = outputLines(run.result.stdout, run.result.stderr);
    const problems = run.failure.evidence.errors ?? [];
    const filesystems = overfullFilesystems(problems, lines);
    const off = [...leftOut, ...(filesystems ?? [])];
    const isAnyLeft = deps.prepared.imageFilesystems.some((filesystem) => !off.includes(filesystem));
    const isRepeated = filesystems === undefined || filesystems.some((filesystem) => leftOut.includes(filesystem));
    if (deps.request.filesystem !== null || isRepeated || !isAnyLeft) throw await refusal(run.failure, lines, overfull, deps);

    overfull.push({ filesystems, problems, lines });
    deps.log(`${filesystems.join(', ')} does not fit; making the images of the other file systems`);
    await prepareNext(off, deps);
  }
}

/**
 * Switches the file systems off, and removes every file of the run that failed: none of them may be taken for an image
 * of the next run.
 */
async function prepareNext(off: readonly Filesystem[], deps: FittingImagesDeps): Promise<void> {
  const { tree, destination, prepared, uid } = deps;
  const removal = readingTime(deps.limits, deps.signal);
  for (const path of [destination, join(tree, deps.binDir)]) await removal.within((within) => removeTree(path, within));
  await putFile(tree, '.config', withoutFilesystems(prepared.config, off), { uid }).catch((error: unknown) => {
    if (!(error instanceof UnexpectedFileError) && !hasCode(error, 'EISDIR', 'ENOTEMPTY', 'ENOTDIR')) throw error;
    throw new BuildFailure('A script of this build put something else in the place of .config', {}, { cause: error });
  });
}

/** Runs `make image` once and takes what it left. Throws what another run would not change. */
async function runOnce(deps: FittingImagesDeps): Promise<Run> {
  const { request, prepared, limits, signal, destination, log } = deps;
  const result = await deps.makeImage();
  const reading = readingTime(limits, signal);
  const { files, ignored } = await reading.within((within) =>
    takeOutput(join(deps.tree, deps.binDir), destination, { limits, signal: within, imagebuilder: deps.imagebuilder }),
  );
  if (ignored.length > 0) log(`Not taken from BIN_DIR: ${ignored.join(', ')}`);
  const built = await readBuiltProfile(destination, deps.profileIds, files);
  if (result.exitCode === 0 && built === undefined && request.filesystem !== null && ARCHIVES.includes(request.filesystem))
    throw unavailableFilesystem(request.filesystem, prepared.imageFilesystems);
  if (result.exitCode !== 0 || built === undefined || saysOtherwise(result)) {
    const failure = deps.failureOf(result, files);
    if (!(failure instanceof BuildFailure)) throw failure;
    return { result, failure };
  }
  const images = new Set(built.profile.images.map(({ name }) => name));
  const imageFiles = files.filter(({ name }) => images.has(name));
  const overflow = tooBigFor(await reading.within((within) => overflowingImages(imageFiles, within)));
  if (overflow !== undefined) return { result, failure: new BuildFailure(overflow.detail, { errors: overflow.errors }) };
  return { result, files, built };
}

async function warningOf(
  overfull: readonly Overfull[],
  images: BuildOutput['profile']['images'],
  deps: FittingImagesDeps,
): Promise<Warning> {
  const filesystems = overfull.flatMap((one) => one.filesystems);
  const problems = overfull.flatMap((one) => one.problems);
  const names = namesLeftOut(images, filesystems);
  const reason = String(problems[0]?.['message'] ?? '');
  const verb = filesystems.length === 1 ? 'does' : 'do';
  const lines = overfull.flatMap((one) => one.lines);
  const list = names.length === 0 ? 'Its images were left out' : `These images were left out: ${names.join(', ')}`;
  const detail = `${filesystems.join(', ')} ${verb} not fit: ${reason}. ${list}`;
  return { code: 'images_left_out', severity: 'strong', detail: `${detail}${await advice(problems, lines, deps)}` };
}

/** Returns the failure of the last run, which names what did not fit in the runs before it as well. */
async function refusal(
  failure: BuildFailure,
  lines: readonly string[],
  overfull: readonly Overfull[],
  deps: FittingImagesDeps,
): Promise<BuildFailure> {
  const own = failure.evidence.errors ?? [];
  const isTooBig = own.length > 0 && own.every(({ code }) => code === 'image_too_big');
  if (!isTooBig && overfull.length === 0) return failure;
  const problems = [...overfull.flatMap((one) => one.problems), ...(isTooBig ? own : [])];
  const detail = overfull.length === 0 ? failure.message : `Selected packages exceed device storage: ${problems[0]?.['message']}`;
  const all = [...overfull.flatMap((one) => one.lines), ...lines];
  return new BuildFailure(`${detail}${await advice(problems, all, deps)}`, { errors: problems });
}

/**
 * Returns the size that would be enough, as the end of a sentence; nothing if the request gave one, if none would be,
 * or if it follows from the root's files and these could not be measured.
 */
async function advice(problems: Overfull['problems'], lines: readonly string[], deps: FittingImagesDeps): Promise<string> {
  const partitionMb = rootfsPartsizeMb(deps.prepared.config);
  if (deps.request.rootfs_size_mb !== null || partitionMb === undefined) return '';
  const shortage = { partitionMb, problems, lines };
  if (sufficientSize(shortage) === undefined) return '';
  const areSizesKnown = problems.every((problem) => typeof problem['size'] === 'number');
  const measured = areSizesKnown ? {} : await deps.measureRoot();
  if (!areSizesKnown && measured.rootKb === undefined) return '';
  return `; a rootfs_size_mb of ${sufficientSize({ ...shortage, ...measured })} is enough`;
}
