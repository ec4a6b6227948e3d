import type { CachedFiles } from './cached-files.ts';
import { DIRECTORY, TARGETS } from './file-formats.ts';
import { UpstreamFailure } from './upstream-client.ts';

/**
 * Returns whether upstream has a version: its list of targets, or at least its directory. A server that refuses to show
 * the directory has it.
 */
export async function hasVersionFiles(files: CachedFiles, versionPath: string): Promise<boolean> {
  if ((await files.read(`${versionPath}/.targets.json`, TARGETS)) !== undefined) return true;
  try {
    return (await files.read(`${versionPath}/`, DIRECTORY)) !== undefined;
  } catch (error) {
    if (error instanceof UpstreamFailure && !error.transient) return true;
    throw error;
  }
}
