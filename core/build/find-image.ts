import { BuildNotFoundError } from '#core/errors.ts';
import { type BinDir, RequestHash } from '#core/request/request-hash.ts';
import { type BuildStatusDeps, getBuildStatus } from './build-status.ts';

/**
 * Finds the directory that has a file of a finished build, by the build's request hash and the name of the file.
 * Returns `undefined` unless the build is done and not expired, and its result lists the file.
 */
export type FindImage = (hash: string, name: string) => Promise<BinDir | undefined>;

/**
 * Returns the finder over the state of builds. It reads the row as it is now: scripts save any answer as firmware, so a
 * build that was made again must not be missing for a moment.
 */
export const imageFinder =
  (deps: BuildStatusDeps): FindImage =>
  async (text, name) => {
    const { data: hash } = RequestHash.safeParse(text);
    if (hash === undefined) return undefined;
    try {
      const view = await getBuildStatus(deps, hash, { isLatest: true });
      return view.state === 'done' && listedFiles(view.document).includes(name) ? view.build.binDir : undefined;
    } catch (error) {
      if (error instanceof BuildNotFoundError) return undefined;
      throw error;
    }
  };

function listedFiles(document: string): readonly string[] {
  const { files = [] } = JSON.parse(document) as { files?: readonly { name: string }[] };
  return files.map((file) => file.name);
}
