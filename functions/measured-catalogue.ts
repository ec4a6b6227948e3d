import { fetchThrough } from '#adapters/upstream/fetch-by-node-http.ts';
import { type ProxyConfig, proxiesOf } from '#adapters/upstream/proxies.ts';
import { type UpstreamCatalogue, type UpstreamCatalogueOptions, upstreamCatalogue } from '#adapters/upstream/upstream-catalogue.ts';
import { measuredFetch } from '#observe/measured-fetch.ts';
import type { CompositionParts } from './composition.ts';

/** Returns the catalogue of upstream, read through the proxies, with its requests counted and its failures logged. */
export const measuredCatalogue = (
  options: Omit<UpstreamCatalogueOptions, 'fetch' | 'onError'>,
  proxies: ProxyConfig,
  { log, metrics }: { readonly log: CompositionParts['log']; readonly metrics: Pick<CompositionParts['metrics'], 'onUpstream'> },
): UpstreamCatalogue =>
  upstreamCatalogue({
    ...options,
    fetch: measuredFetch(metrics.onUpstream, fetchThrough(proxiesOf(proxies))),
    onError: (what, error) => log.warn('upstream could not be read', { what, error }),
  });
