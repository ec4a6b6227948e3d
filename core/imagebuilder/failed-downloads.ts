import { withoutTrailingSlashes } from '#lib/without-trailing-slashes.ts';
import type { DownloadTrouble } from './download-troubles.ts';
import type { BuildProblem } from './failure-analysis.ts';
import type { OwnRepositories } from './faulty-repositories.ts';

/** A person reads the first few; usually they have one cause. */
const MAX_DOWNLOADS = 20;

/** Returns one problem for each file that could not be downloaded, with the name of its feed where the address shows it. */
export function failedDownloads(troubles: readonly DownloadTrouble[], own: OwnRepositories): BuildProblem[] {
  const failed = troubles.filter(({ kind }) => kind === 'download' || kind === 'absent').map((trouble) => failedDownload(trouble, own));
  return [...new Map(failed.map((problem) => [problem.message, problem])).values()].slice(0, MAX_DOWNLOADS);
}

export function failedDownload({ url, package: name, message }: Omit<DownloadTrouble, 'kind'>, own: OwnRepositories): BuildProblem {
  const feed = url === undefined ? undefined : feedOf(url, own);
  return {
    code: 'download_failed',
    ...(name !== undefined && { packages: [name] }),
    ...(url !== undefined && { url }),
    ...(feed !== undefined && { feed }),
    message,
  };
}

/** `…/packages/<arch>/<feed>/…`, `…/targets/<target>/<subtarget>/packages/…` or `…/kmods/…`. */
const ARCHITECTURE_FEED = /\/packages\/[^/]+\/([A-Za-z0-9_-]+)\/[^/]+$/;
const TARGET_FEED = /\/targets\/[^/]+\/[^/]+\/(packages|kmods)\//;

/** Returns the client's name of its own repository, the name of OpenWrt's feed, or `undefined`. */
function feedOf(url: string, own: OwnRepositories): string | undefined {
  const named = Object.entries(own).find(([, base]) => url === base || url.startsWith(`${withoutTrailingSlashes(base)}/`));
  if (named !== undefined) return named[0];
  const ofTarget = TARGET_FEED.exec(url)?.[1];
  if (ofTarget !== undefined) return ofTarget === 'kmods' ? 'kmods' : 'target';
  return ARCHITECTURE_FEED.exec(url)?.[1];
}
