import type { PackageFile } from '#core/imagebuilder/package-files.ts';
import type { RepositoryIndex } from '../tree/repository-indexes.ts';

/**
 * A file that a build may have: an index of one of its repositories, the signature of an index, or a package that an
 * index lists.
 */
export interface ListedFile {
  readonly kind: 'index' | 'signature' | 'package';
  readonly url: string;
  readonly index: RepositoryIndex;
  /** The name in the package cache. */
  readonly name: string;
  readonly sha256?: string;
  readonly size?: number;
}

/** The files that one build may have, by URL. */
export interface ListedFiles {
  /** Returns the index, then its signature if that is a separate file. */
  ofIndex(index: RepositoryIndex): readonly ListedFile[];
  addPackages(index: RepositoryIndex, packages: readonly PackageFile[]): void;
  find(url: string): ListedFile | undefined;
}

/**
 * The limit on listed files, which only an attack exceeds: all feeds of an architecture together list 11,000 packages.
 */
const MAX_LISTED = 200_000;

/** Returns the indexes and signatures of a build's repositories. Packages are added when an index has been read. */
export function listedFiles(indexes: readonly RepositoryIndex[]): ListedFiles {
  const byUrl = new Map<string, ListedFile>();
  const add = (file: ListedFile): void => {
    const [key, base] = [canonical(file.url), canonical(file.index.base)];
    if (key === undefined || base === undefined || !key.startsWith(base) || byUrl.size >= MAX_LISTED) return;
    // If two repositories list the same file, the first one counts, as it does for package managers.
    if (!byUrl.has(key)) byUrl.set(key, file);
  };
  const find = (url: string): ListedFile | undefined => byUrl.get(canonical(url) ?? '');

  for (const index of indexes) {
    add({ kind: 'index', url: index.url, index, name: index.file });
    if (index.signatureUrl !== undefined) add({ kind: 'signature', url: index.signatureUrl, index, name: `${index.file}.sig` });
  }
  return {
    ofIndex: ({ url, signatureUrl }) =>
      [find(url), signatureUrl === undefined ? undefined : find(signatureUrl)].filter((file) => file !== undefined),
    addPackages: (index, packages) => {
      for (const { path, ...file } of packages) add({ kind: 'package', url: `${index.base}${path}`, index, ...file });
    },
    find,
  };
}

/** Returns one spelling of a URL, because package managers percent-encode some characters and double some slashes. */
function canonical(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null || url.search !== '' || url.hash !== '') return undefined;
  try {
    return `${url.protocol}//${url.username}:${url.password}@${url.host}${decodeURIComponent(url.pathname).replaceAll(/\/{2,}/g, '/')}`;
  } catch {
    return undefined;
  }
}
