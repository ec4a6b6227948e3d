import { createHash } from 'node:crypto';
import { inSlices } from '#adapters/upstream/in-slices.ts';
import type { PackageFile } from '#core/imagebuilder/package-files.ts';
import { PIECE, type Sliced } from '#lib/sliced.ts';
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
  addPackages(index: RepositoryIndex, packages: readonly PackageFile[]): Promise<void>;
  find(url: string): ListedFile | undefined;
}

/**
 * The limit on listed files, which only an attack exceeds: all feeds of an architecture together list 11,000 packages.
 */
const MAX_LISTED = 200_000;

/** Returns the indexes and signatures of a build's repositories. Packages are added when an index has been read. */
export function listedFiles(indexes: readonly RepositoryIndex[]): ListedFiles {
  const byUrl = new Map<string, ListedFile>();
  const add = (file: ListedFile, key: string | undefined, base: string | undefined): void => {
    if (key === undefined || base === undefined || !key.startsWith(base) || byUrl.size >= MAX_LISTED) return;
    // If two repositories list the same file, the first one counts, as it does for package managers.
    if (!byUrl.has(key)) byUrl.set(key, file);
  };
  const find = (url: string): ListedFile | undefined => byUrl.get(canonical(url) ?? '');

  function* addAll(index: RepositoryIndex, packages: readonly PackageFile[]): Sliced<void> {
    const base = canonical(index.base);
    if (base === undefined) return;
    for (const [at, { path, ...file }] of packages.entries()) {
      if (at % PIECE === PIECE - 1) yield;
      const url = `${index.base}${path}`;
      add({ kind: 'package', url, index, ...file }, PLAIN_PATH.test(path) ? `${base}${path}` : canonical(url), base);
    }
  }

  for (const index of indexes) {
    const base = canonical(index.base);
    const name = cachedAs(index);
    add({ kind: 'index', url: index.url, index, name }, canonical(index.url), base);
    const { signatureUrl: url } = index;
    if (url !== undefined) add({ kind: 'signature', url, index, name: `${name}.sig` }, canonical(url), base);
  }
  return {
    ofIndex: ({ url, signatureUrl }) =>
      [find(url), signatureUrl === undefined ? undefined : find(signatureUrl)].filter((file) => file !== undefined),
    addPackages: (index, packages) => inSlices(addAll(index, packages)),
    find,
  };
}

/**
 * Returns the name of an index in the package cache. It comes from the place of the index: the name of a repository is
 * the client's choice, and may be that of a package or of another repository's signature.
 */
const cachedAs = ({ source }: RepositoryIndex): string => `index-${createHash('sha256').update(source).digest('hex').slice(0, 32)}`;

/**
 * Matches a path that has one spelling below a base, as nearly all have: nothing in it needs to be resolved or decoded.
 */
const PLAIN_PATH = /^(?:[\w+~-][\w+~.-]*\/)*[\w+~-][\w+~.-]*$/;

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
