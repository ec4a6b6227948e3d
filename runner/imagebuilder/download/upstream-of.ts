import type { BuildOrder } from '#core/build/build-order.ts';
import { DEFAULT_DISTRO, DEFAULT_REPOSITORY_HOSTS } from '#core/catalogue/distro.ts';
import { InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import { parseUsignPublicKey, type UsignPublicKey } from '#runner/signing/usign.ts';
import type { ImagebuilderMakerOptions } from '../maker-options.ts';
import { knownUpstreamKeys } from './known-keys.ts';

/** Where the files of an order come from, and who vouches for them. */
export interface OrderUpstream {
  readonly upstreamUrl: string;
  /** The keys whose signatures of `sha256sums` count. */
  readonly keys: readonly UsignPublicKey[];
  /** The hosts in the ImageBuilder's repositories that the upstream replaces. */
  readonly repositoryHosts: readonly string[];
}

/**
 * Returns the upstream of an order's distribution. No key of one distribution counts for another. Throws
 * `InfrastructureFailure` for a distribution that this runner does not have: another runner may have it.
 */
export function upstreamOf(
  { request: { distro } }: BuildOrder,
  { upstreamUrl, keys = [], distros = [] }: Pick<ImagebuilderMakerOptions, 'upstreamUrl' | 'keys' | 'distros'>,
): OrderUpstream {
  if (distro === DEFAULT_DISTRO) return { upstreamUrl, keys: [...knownUpstreamKeys, ...keys], repositoryHosts: DEFAULT_REPOSITORY_HOSTS };
  const found = distros.find(({ name }) => name === distro);
  if (found === undefined) throw new InfrastructureFailure(`This runner does not have the distribution ${distro} (DISTROS)`);
  return {
    upstreamUrl: found.upstreamUrl,
    keys: found.trustedKeys.flatMap((key) => parseUsignPublicKey(key) ?? []),
    repositoryHosts: found.repositoryHosts,
  };
}
