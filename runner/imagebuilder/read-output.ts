import { createHash } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import type { BuiltFile } from '#core/build-output.ts';
import type { PlainFile } from '#runner/files/plain-file.ts';
import { takeFiles } from '#runner/files/take-files.ts';
import { isOutputName } from './output-name.ts';

/**
 * Takes what a build left out of its reach: moves BIN_DIR to `destination`, which the build cannot write to, and answers its regular files of
 * expected names, hashed. Links, directories and anything else are left where they are and named in `ignored`. Call it
 * when no process of the build is left. No BIN_DIR: no files.
 */
export async function takeOutput(binDir: string, destination: string): Promise<{ files: BuiltFile[]; ignored: string[] }> {
  const files: BuiltFile[] = [];
  const take = async (name: string, file: PlainFile) => void files.push({ name, path: join(destination, name), ...(await hash(file)) });
  const ignored = await takeFiles({ root: dirname(binDir), path: basename(binDir), destination, isWanted: isOutputName }, take);
  return ignored === undefined ? { files: [], ignored: ['BIN_DIR itself'] } : { files, ignored };
}

/** Size and SHA-256 of what a file holds. */
async function hash(file: PlainFile): Promise<{ size: number; sha256: string }> {
  const sum = createHash('sha256');
  let size = 0;
  for await (const part of file.createReadStream({ autoClose: false, start: 0, highWaterMark: 1024 * 1024 })) {
    sum.update(part as Buffer);
    size += (part as Buffer).length;
  }
  return { size, sha256: sum.digest('hex') };
}
