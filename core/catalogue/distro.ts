import type { Branch } from './branches.ts';

/** The distribution that requests mean when they name none, and that `overview.json` describes. */
export const DEFAULT_DISTRO = 'openwrt';

/** The beginning of the names of OpenWrt's ImageBuilders. */
export const DEFAULT_IMAGEBUILDER_PREFIX = 'openwrt-imagebuilder-';

/** The hosts that OpenWrt's ImageBuilders name in their repositories. */
export const DEFAULT_REPOSITORY_HOSTS: readonly string[] = ['downloads.openwrt.org'];

/** A distribution besides OpenWrt: where it is, how its ImageBuilders are named, and who signs them. */
export interface Distro {
  readonly name: string;
  /** The base URL of its upstream, without a slash at the end. */
  readonly upstreamUrl: string;
  /** The beginning of the names of its ImageBuilders. */
  readonly imagebuilderPrefix: string;
  /** The usign public keys (base64) whose signatures of `sha256sums` count. OpenWrt's own keys do not. */
  readonly trustedKeys: readonly string[];
  /** The hosts, with or without a path, in the repositories of its ImageBuilders. `upstreamUrl` replaces them. */
  readonly repositoryHosts: readonly string[];
  readonly branches: readonly Branch[];
}
