import { DEFAULT_REPOSITORY_HOSTS } from '#core/catalogue/distro.ts';
import { REPOSITORY_NAME } from '#core/request/build-request.ts';
import { withoutTrailingSlashes } from '#lib/without-trailing-slashes.ts';
import { BadRequestError } from '../errors.ts';
import { UnsafeArgumentError } from './commands.ts';

/**
 * A client's repository has the name of one of the ImageBuilder's. opkg reads only the first of the two, and prints no
 * error.
 */
export class RepositoryNameTakenError extends BadRequestError {
  constructor(name: string) {
    super(`Repository name ${name} is taken: the ImageBuilder has a repository of that name itself; choose another`);
  }
}

export interface RepositoryFileInput {
  /** The text of the ImageBuilder's own `repositories.conf` (opkg) or `repositories` (apk). */
  readonly original: string;
  readonly usesApk: boolean;
  /** The client's repositories, name → URL. */
  readonly repositories: Readonly<Record<string, string>>;
  readonly mode: 'append' | 'replace';
  /** The upstream that replaces OpenWrt's own server in the URLs of `original`. A client may name it by either. */
  readonly upstreamUrl?: string;
  /** The hosts that it replaces. The default is OpenWrt's. */
  readonly repositoryHosts?: readonly string[];
}

const URL_TEXT = /^https?:\/\/[^\s"'`$\\<>{}|^\p{Cc}]+$/u;

const LOCAL_OPKG = 'src imagebuilder file:packages';
const OPKG_LINE = /^\s*src(?:\/gz)?\s+(\S+)\s+(\S+)/;
const CHECK_SIGNATURE = 'option check_signature';
/** The apk ImageBuilders of 2024 list their own packages in the file; later ones pass them by an option. */
const LOCAL_APK = /^\s*(?:file:)?(?:\.\/)?packages\/packages\.adb\s*$/;

/**
 * Returns the ImageBuilder's repository file with a client's repositories added or in place of its own, sorted by name.
 * Both modes keep what the ImageBuilder cannot do without: its own packages and, for opkg, the signature check. Blank
 * lines go. A repository of the ImageBuilder that the client repeats, as a device's list of feeds does, is not added
 * twice. Same as merge_repositories in asu/repositories.py. Names and URLs are checked again (`UnsafeArgumentError`).
 * Throws `RepositoryNameTakenError`.
 */
export function repositoryFile({ original, usesApk, repositories, mode, upstreamUrl, repositoryHosts }: RepositoryFileInput): string {
  const lines = original.split(/\r?\n/).filter((line) => line.trim() !== '');
  const kept = mode === 'append' ? lines : lines.filter((line) => usesApk && LOCAL_APK.test(line));
  const own = new Map((usesApk ? [] : [...kept, LOCAL_OPKG]).flatMap((line) => ownRepository(line)));
  const atUpstream = (url: string) => (upstreamUrl === undefined ? url : withUpstream(url, upstreamUrl, repositoryHosts));
  const added = Object.entries(repositories)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, url]) => {
      if (!REPOSITORY_NAME.test(name) || !URL_TEXT.test(url)) throw new UnsafeArgumentError('repositories');
      if (own.get(name) === withoutTrailingSlashes(atUpstream(url))) return [];
      if (own.has(name)) throw new RepositoryNameTakenError(name);
      return usesApk ? url : `src/gz ${name} ${url}`;
    });
  const required = usesApk ? [] : [LOCAL_OPKG, CHECK_SIGNATURE].filter((line) => !kept.some((other) => other.includes(line)));
  return `${[...kept, ...added, ...required].join('\n')}\n`;
}

function ownRepository(line: string): [name: string, url: string][] {
  const [, name, url] = OPKG_LINE.exec(line) ?? [];
  return name === undefined || url === undefined ? [] : [[name, withoutTrailingSlashes(url)]];
}

/**
 * Replaces the distribution's own servers in repository URLs by the upstream of this server, with or without a slash at
 * its end. A server may have a path, as mirrors do.
 */
export function withUpstream(text: string, upstreamUrl: string, hosts: readonly string[] = DEFAULT_REPOSITORY_HOSTS): string {
  if (hosts.length === 0) return text;
  const base = withoutTrailingSlashes(upstreamUrl);
  // The longest name comes first, so that a host never takes the place of the same host with a path.
  const names = hosts.toSorted((a, b) => b.length - a.length).map((host) => withoutTrailingSlashes(host).replace(/[^\w/-]/g, '\\$&'));
  return text.replaceAll(new RegExp(`https?://(?:${names.join('|')})/*(?=/|\\s|$)`, 'g'), () => base);
}
