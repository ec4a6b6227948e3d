import { createHash } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import type { BuiltFile } from '#core/imagebuilder/build-output.ts';
import type { PlainFile } from '#runner/files/plain-file.ts';
import { takeFiles } from '#runner/files/take-files.ts';
import { OUTPUT_LIMITS, type OutputLimits, outputCount } from './output-limits.ts';
import { isOutputName } from './output-name.ts';

/**
 * Takes a build's output out of its reach: moves BIN_DIR to `destination`, which the build cannot write to, and returns
 * its regular files with the names that `imagebuilder` gives, hashed. Everything else, such as links and directories, stays and is named in
 * `ignored`. Call it when no process of the build is left. It returns no files when there is no BIN_DIR. It throws
 * `BuildFailure`, before anything is hashed, for more than `limits` allow, and the signal's reason when the signal
 * aborts.
 */
export async function takeOutput(
  binDir: string,
  destination: string,
  {
    limits = OUTPUT_LIMITS,
    signal,
    imagebuilder,
  }: { readonly limits?: OutputLimits; readonly signal?: AbortSignal; readonly imagebuilder?: string } = {},
): Promise<{ files: BuiltFile[]; ignored: string[] }> {
  const files: BuiltFile[] = [];
  const take = async (name: string, file: PlainFile) =>
    void files.push({ name, path: join(destination, name), ...(await hash(file, signal)) });
  const taking = {
    root: dirname(binDir),
    path: basename(binDir),
    destination,
    isWanted: (name: string) => isOutputName(name, imagebuilder),
    count: outputCount(limits),
  };
  const ignored = await takeFiles(taking, take);
  return ignored === undefined ? { files: [], ignored: ['BIN_DIR itself'] } : { files, ignored };
}

/** Returns size and SHA-256 of a file. Other work of the process goes on between its parts. */
async function hash(file: PlainFile, signal: AbortSignal | undefined): Promise<{ size: number; sha256: string }> {
  const sum = createHash('sha256');
  let size = 0;
  for await (const part of file.createReadStream({ autoClose: false, start: 0, highWaterMark: 1024 * 1024 })) {
    signal?.throwIfAborted();
    sum.update(part as Buffer);
    size += (part as Buffer).length;
  }
  return { size, sha256: sum.digest('hex') };
}
