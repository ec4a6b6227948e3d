import { AsuError, UnsupportedVersionError } from '#core/errors.ts';
import { type Branch, branchOf, versionPath } from './branches.ts';
import type { Catalogue } from './catalogue.ts';
import { isOfferedVersion } from './offered-versions.ts';

export class RevisionNotFoundError extends AsuError {
  readonly status = 404;
  readonly title = 'Not Found';
  constructor(version: string, target: string) {
    super(`Failed to fetch revision for ${version}/${target}`);
  }
}

/**
 * Reads the revision that upstream has now, for `GET /api/v1/revision/{version}/{target}/{subtarget}`. LuCI compares
 * the number in it.
 */
export async function readRevision(
  { catalogue, branches }: { catalogue: Catalogue; branches: readonly Branch[] },
  version: string,
  target: string,
): Promise<{ revision: string }> {
  const branch = branchOf(version, branches);
  if (branch === undefined || !branch.enabled) throw new UnsupportedVersionError(version);
  // The server does not look for a version that it does not offer: a client could make it ask upstream for, and
  // remember, any number of them.
  const isOffered = await isOfferedVersion(catalogue, version, branches);
  const record = isOffered ? await catalogue.target(version, versionPath(version, branch), target) : undefined;
  if (record === undefined) throw new RevisionNotFoundError(version, target);
  return { revision: record.revision };
}
