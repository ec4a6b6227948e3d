import { REPOSITORY_NAME } from '../build-request.ts';
import { BadRequestError } from '../errors.ts';
import { UnsafeArgumentError } from './commands.ts';

/** opkg takes no two repositories of one name, and the ImageBuilder's own came first. */
export class RepositoryNameTakenError extends BadRequestError {
  constructor(name: string) {
    super(`Repository name ${name} is taken: the ImageBuilder has a repository of that name itself; choose another`);
  }
}

export interface RepositoryFileInput {
  /** The ImageBuilder's own `repositories.conf` (opkg) or `repositories` (apk). */
  readonly original: string;
  readonly usesApk: boolean;
  /** name → URL. */
  readonly repositories: Readonly<Record<string, string>>;
  readonly mode: 'append' | 'replace';
}

const URL_TEXT = /^https?:\/\/[^\s"'`$\\<>{}|^\p{Cc}]+$/u;

const LOCAL_OPKG = 'src imagebuilder file:packages';
const OPKG_NAME = /^\s*src(?:\/gz)?\s+(\S+)/;
const CHECK_SIGNATURE = 'option check_signature';
/** apk ImageBuilders of 2024 list their own packages in the file; later ones pass them by option. */
const LOCAL_APK = /^\s*(?:file:)?(?:\.\/)?packages\/packages\.adb\s*$/;

/**
 * The ImageBuilder's repository file with a client's repositories joined to it or in place of it, sorted by name. What the
 * ImageBuilder cannot do without stays in either mode: its own packages and, for opkg, the signature check. Blank lines go.
 * Same as merge_repositories in asu/repositories.py; names and URLs are checked again (`UnsafeArgumentError`). Throws
 * `RepositoryNameTakenError`.
 */
export function repositoryFile({ original, usesApk, repositories, mode }: RepositoryFileInput): string {
  const lines = original.split(/\r?\n/).filter((line) => line.trim() !== '');
  const kept = mode === 'append' ? lines : lines.filter((line) => usesApk && LOCAL_APK.test(line));
  const taken = new Set(usesApk ? [] : [...kept, LOCAL_OPKG].map((line) => OPKG_NAME.exec(line)?.[1]));
  const added = Object.entries(repositories)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, url]) => {
      if (!REPOSITORY_NAME.test(name) || !URL_TEXT.test(url)) throw new UnsafeArgumentError('repositories');
      if (taken.has(name)) throw new RepositoryNameTakenError(name);
      return usesApk ? url : `src/gz ${name} ${url}`;
    });
  const required = usesApk ? [] : [LOCAL_OPKG, CHECK_SIGNATURE].filter((line) => !kept.some((other) => other.includes(line)));
  return `${[...kept, ...added, ...required].join('\n')}\n`;
}

/** Repository URLs of OpenWrt's own server led to the upstream that this server uses, whatever slashes it ends in. */
export function withUpstream(text: string, upstreamUrl: string): string {
  const base = upstreamUrl.replace(/\/+$/, '');
  return text.replaceAll(/https?:\/\/downloads\.openwrt\.org\/*(?=\/|\s|$)/g, () => base);
}
