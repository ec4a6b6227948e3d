import type { BuildOrder } from '#core/build/build-order.ts';
import { BuildFailure, InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import { ARCHIVES, onlyFilesystem, parseDotConfig, withoutFilesystems } from '#core/imagebuilder/dot-config.ts';
import { RepositoryNameTakenError, repositoryFile, withUpstream } from '#core/imagebuilder/repository-file.ts';
import type { Filesystem } from '#core/request/build-request.ts';
import { InvalidRepositoryKeyError, repositoryKeyFiles } from '#core/request/repository-keys.ts';
import { hasCode } from '#lib/has-code.ts';
import { readPlainFile } from '#runner/files/plain-file.ts';
import { putFile } from '#runner/files/put-file.ts';
import { UnexpectedFileError } from '#runner/files/unexpected-file.ts';
import type { BuildKey } from '#runner/signing/build-key.ts';
import type { ImagebuilderFacts } from '../cache/fill-imagebuilder.ts';
import type { OrderUpstream } from '../download/upstream-of.ts';

/** The directory below the tree that becomes FILES. It has the same name as in asu's containers. */
export const FILES = 'asu-files';
const DEFAULTS = `${FILES}/etc/uci-defaults/99-asu-defaults`;

/** Returns whether everything in the image comes from OpenWrt's feeds: the client has no repository and no key. */
export const isTrusted = ({ request }: BuildOrder): boolean =>
  Object.keys(request.repositories).length === 0 && request.repository_keys.length === 0;

/**
 * The limits on files that are read. A repository file has one or two kilobytes, the `.config` of an ImageBuilder a few
 * hundred.
 */
const MAX_REPOSITORY_FILE = 64 * 1024;
const MAX_CONFIG = 2 * 1024 * 1024;

/** The changes to a tree that a person who repeats the build by hand must repeat. */
export interface PreparedTree {
  readonly repositories: { readonly name: string; readonly text: string } | undefined;
  /** The text of the repository file, including the client's repositories. */
  readonly repositoryText: string;
  /** The text of `.config`. */
  readonly config: string;
  /** The lines of `.config` that were switched off. */
  readonly switchedOff: readonly string[];
  /** The file systems for which this ImageBuilder makes images. */
  readonly imageFilesystems: readonly Filesystem[];
}

export interface PreparationDeps {
  readonly facts: ImagebuilderFacts;
  readonly uid: number | undefined;
  readonly upstream: Pick<OrderUpstream, 'upstreamUrl' | 'repositoryHosts'>;
  /** The server's signing key, for a build that may have it. */
  readonly key: BuildKey | undefined;
}

/**
 * Puts into a build's own tree what this build needs: repositories that point to our upstream, the client's
 * repositories and keys, defaults, the one file system, and the server's signing key if one is given. It throws
 * `BuildFailure` for what the ImageBuilder cannot do, and `InfrastructureFailure` for an ImageBuilder that has links or
 * other things in place of its files.
 */
export async function prepareTree(order: BuildOrder, tree: string, deps: PreparationDeps): Promise<PreparedTree> {
  try {
    return await prepare(order, tree, deps);
  } catch (error) {
    throw orUnusable(error);
  }
}

/** The failure of an ImageBuilder that has other files in its tree than it should, if that is what the error says; else the error. */
export function orUnusable(error: unknown): unknown {
  if (!(error instanceof UnexpectedFileError) && !hasCode(error, 'ENOENT', 'EISDIR', 'ENOTEMPTY')) return error;
  const reason = error instanceof UnexpectedFileError ? error.message : 'a file is missing, or a directory in its place';
  return new InfrastructureFailure(`The ImageBuilder cannot be used: ${reason}`, { cause: error, isFinal: true });
}

async function prepare(order: BuildOrder, tree: string, { facts, uid, upstream, key }: PreparationDeps): Promise<PreparedTree> {
  const { request } = order;
  const { upstreamUrl, repositoryHosts } = upstream;
  const textOf = async (name: string, maxBytes: number) => (await readPlainFile(tree, name, maxBytes)).toString('utf8');
  const published = await textOf(facts.repositoryFile, MAX_REPOSITORY_FILE);
  const original = withUpstream(published, upstreamUrl, repositoryHosts);
  const hasRepositories = Object.keys(request.repositories).length > 0;
  const { repositories: added, repositories_mode: mode } = request;
  const usesApk = facts.packageManager === 'apk';
  const text = hasRepositories
    ? orBuildFailure(() => repositoryFile({ original, usesApk, repositories: added, mode, upstreamUrl, repositoryHosts }))
    : original;
  await putFile(tree, facts.repositoryFile, text, { uid });

  for (const { path, content } of orBuildFailure(() => repositoryKeyFiles(request.repository_keys)))
    await putFile(tree, path, content, { uid });
  if (request.defaults) await putFile(tree, DEFAULTS, request.defaults, { uid });

  const config = await textOf('.config', MAX_CONFIG);
  const filesystems = parseDotConfig(config).filesystems.filter((name) => !ARCHIVES.includes(name));
  const kept = request.filesystem === null ? config : onlyFilesystem(config, request.filesystem);
  if (kept !== config) await putFile(tree, '.config', kept, { uid });
  await key?.install(tree, facts.packageManager, uid);
  return {
    repositories: text === published ? undefined : { name: facts.repositoryFile, text },
    repositoryText: text,
    config: kept,
    switchedOff: kept === config ? [] : linesWithout(config, kept),
    imageFilesystems: filesystems,
  };
}

/** Turns the errors of `make` into a `BuildFailure`: the same request would always fail. */
function orBuildFailure<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof InvalidRepositoryKeyError || error instanceof RepositoryNameTakenError)
      throw new BuildFailure(error.message, {}, { cause: error });
    throw error;
  }
}

/** Returns the changes to a tree with the lines of the root file systems that were left out later. */
export const withoutLeftOut = (prepared: PreparedTree, leftOut: readonly Filesystem[]): PreparedTree => ({
  ...prepared,
  switchedOff: [...prepared.switchedOff, ...linesWithout(prepared.config, withoutFilesystems(prepared.config, leftOut))],
});

/** Returns the lines of `before` that are not in `after`. */
function linesWithout(before: string, after: string): string[] {
  const left = new Set(after.split('\n'));
  return before.split('\n').filter((line) => !left.has(line));
}
