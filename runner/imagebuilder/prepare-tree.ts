import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuildOrder } from '#core/build-order.ts';
import { BuildFailure } from '#core/build-output.ts';
import type { Filesystem } from '#core/build-request.ts';
import { ARCHIVES, onlyFilesystem, parseDotConfig } from '#core/imagebuilder/dot-config.ts';
import { RepositoryNameTakenError, repositoryFile, withUpstream } from '#core/imagebuilder/repository-file.ts';
import { InvalidRepositoryKeyError, repositoryKeyFiles } from '#core/imagebuilder/repository-keys.ts';
import type { BuildKey } from '#runner/signing/build-key.ts';
import type { ImagebuilderFacts } from './fill-imagebuilder.ts';
import { putFile } from './put-file.ts';

/** Below the tree: becomes FILES. The names are those of asu's containers. */
export const FILES = 'asu-files';
const DEFAULTS = `${FILES}/etc/uci-defaults/99-asu-defaults`;

/** Whether everything in the image comes from the feeds of OpenWrt: no repository and no key of the client's. */
export const isTrusted = ({ request }: BuildOrder): boolean =>
  Object.keys(request.repositories).length === 0 && request.repository_keys.length === 0;

/** What was changed in a way that who repeats the build by hand must repeat. */
export interface PreparedTree {
  readonly repositories: { readonly name: string; readonly text: string } | undefined;
  /** What stands in the repository file, whoever's the repositories are. */
  readonly repositoryText: string;
  /** Lines of `.config` that were switched off. */
  readonly switchedOff: readonly string[];
  /** File systems of which this ImageBuilder makes images. */
  readonly imageFilesystems: readonly Filesystem[];
}

/**
 * Puts into a build's own tree what this build needs: repositories led to our upstream, the client's repositories and
 * keys, defaults, the one file system, and, for trusted builds only, the server's signing key. Throws `BuildFailure` for
 * what the ImageBuilder cannot do.
 */
export async function prepareTree(
  order: BuildOrder,
  tree: string,
  { facts, uid, upstreamUrl, key }: { facts: ImagebuilderFacts; uid: number | undefined; upstreamUrl: string; key: BuildKey },
): Promise<PreparedTree> {
  const { request } = order;
  const repositories = join(tree, facts.repositoryFile);
  const original = withUpstream(await readFile(repositories, 'utf8'), upstreamUrl);
  const hasRepositories = Object.keys(request.repositories).length > 0;
  const { repositories: added, repositories_mode: mode } = request;
  const usesApk = facts.packageManager === 'apk';
  const text = hasRepositories
    ? orBuildFailure(() => repositoryFile({ original, usesApk, repositories: added, mode, upstreamUrl }))
    : original;
  await putFile(repositories, text, uid);

  for (const { path, content } of orBuildFailure(() => repositoryKeyFiles(request.repository_keys)))
    await putFile(join(tree, path), content, uid);
  if (request.defaults) await putFile(join(tree, DEFAULTS), request.defaults, uid);
  const config = join(tree, '.config');
  const filesystems = parseDotConfig(await readFile(config, 'utf8')).filesystems.filter((name) => !ARCHIVES.includes(name));
  const switchedOff = request.filesystem === null ? [] : await keepFilesystem(config, request.filesystem, uid);
  if (isTrusted(order)) await key.install(tree, facts.packageManager, uid);
  return {
    repositories: hasRepositories ? { name: facts.repositoryFile, text } : undefined,
    repositoryText: text,
    switchedOff,
    imageFilesystems: filesystems,
  };
}

/** What the request asks for in vain, today and tomorrow. */
function orBuildFailure<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof InvalidRepositoryKeyError || error instanceof RepositoryNameTakenError)
      throw new BuildFailure(error.message, {}, { cause: error });
    throw error;
  }
}

async function keepFilesystem(path: string, filesystem: Filesystem, uid: number | undefined): Promise<string[]> {
  const before = await readFile(path, 'utf8');
  const after = onlyFilesystem(before, filesystem);
  await putFile(path, after, uid);
  const left = new Set(after.split('\n'));
  return before.split('\n').filter((line) => !left.has(line));
}
