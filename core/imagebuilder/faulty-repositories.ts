import { withoutTrailingSlashes } from '#lib/without-trailing-slashes.ts';
import type { DownloadTrouble } from './download-troubles.ts';
import type { BuildProblem } from './failure-analysis.ts';

/** The client's own repositories, name → URL. Only the client can mend what is wrong there. */
export type OwnRepositories = Readonly<Record<string, string>>;

/** The feeds of OpenWrt, on its own server or a mirror: a client may name them as repositories. */
const OPENWRTS_OWN = /\/(?:releases\/[^/]+|snapshots)\/(?:packages|targets)\//;

/** A package may be absent because its repository is just being replaced; an index may not. */
const INDEX = /(?:\/Packages(?:\.gz)?|\.adb)$/;

/** Returns what is wrong with the client's own repositories, and which troubles that explains. */
export function faultyRepositories(troubles: readonly DownloadTrouble[], own: OwnRepositories) {
  const nameOf = namesByUrl(own);
  const isFault = ({ kind, url = '' }: DownloadTrouble): boolean =>
    nameOf(url) !== undefined && (kind === 'signature' || (kind === 'absent' && INDEX.test(url) && !OPENWRTS_OWN.test(url)));
  const byName = new Map(troubles.filter(isFault).map((trouble) => [nameOf(trouble.url) ?? '', trouble]));
  return {
    problems: [...byName].map(([name, { kind, message }]) => repositoryProblem(name, own[name] ?? '', kind, message)),
    explains: isFault,
  };
}

function repositoryProblem(repository: string, url: string, kind: DownloadTrouble['kind'], reason: string): BuildProblem {
  const left = `repository ${repository} (${url}) was left out`;
  if (kind === 'signature')
    return {
      code: 'repository_untrusted',
      repository,
      url,
      message: `${left}: its index is not signed by a key in repository_keys`,
    };
  const answer = /HTTP \d+$/.exec(reason)?.[0] ?? 'not found';
  return { code: 'repository_not_found', repository, url, message: `${left}: its server has no package index there (${answer})` };
}

const REPLACED = 'repositories_mode is replace, so the feeds of the ImageBuilder itself were not used; append keeps them';

/** Returns the reason that a client may not think of when base packages are missing. */
export const replacedFeeds = (own: OwnRepositories, mode: 'append' | 'replace'): BuildProblem[] =>
  mode === 'replace' && Object.keys(own).length > 0 ? [{ code: 'repositories_replaced', message: REPLACED }] : [];

type NameOf = (url: string | undefined) => string | undefined;

/**
 * Returns the name of the repository that a package manager means by a URL: opkg's is that of a directory, apk's that of the
 * index itself.
 */
function namesByUrl(own: OwnRepositories): NameOf {
  const entries = Object.entries(own).reverse();
  const byUrl = new Map(entries.map(([name, url]) => [url, name]));
  const byDirectory = new Map(entries.map(([name, url]) => [withoutTrailingSlashes(url), name]));
  return (url) => (url === undefined ? undefined : (byUrl.get(url) ?? byDirectory.get(url.slice(0, url.lastIndexOf('/')))));
}
