import { BuildNotFoundError } from '#core/errors.ts';
import { type BinDir, RequestHash } from '#core/request/request-hash.ts';
import { type BuildStatusDeps, viewBuild } from './build-status.ts';

/**
 * Finds the directory that has a file of a finished build, by the build's request hash and the name of the file.
 * Returns `undefined` unless the build is done and not expired, and its result lists the file.
 */
export type FindImage = (hash: string, name: string) => Promise<BinDir | undefined>;

/** Returns the finder over the state of builds. It reads a row that may be behind once more before it gives up. */
export const imageFinder =
  (deps: BuildStatusDeps): FindImage =>
  async (text, name) => {
    const { data: hash } = RequestHash.safeParse(text);
    if (hash === undefined) return undefined;
    const seen = await deps.builds.get(hash);
    const build = seen?.state === 'done' ? seen : await deps.builds.get(hash, { isLatest: true });
    if (build?.state !== 'done') return undefined;
    const view = await viewBuild(deps, build).catch((error) => {
      if (error instanceof BuildNotFoundError) return undefined;
      throw error;
    });
    return view?.state === 'done' && listedFiles(view.document).includes(name) ? build.binDir : undefined;
  };

function listedFiles(document: string): readonly string[] {
  const { files = [] } = JSON.parse(document) as { files?: readonly { name: string }[] };
  return files.map((file) => file.name);
}
