import type { S3Client } from '@aws-sdk/client-s3';
import { s3RecordStore } from '#adapters/aws/objects/record-store.ts';
import type { ProxyConfig } from '#adapters/upstream/proxies.ts';
import type { UpstreamCatalogue } from '#adapters/upstream/upstream-catalogue.ts';
import type { Distro } from '#core/catalogue/distro.ts';
import type { CompositionParts } from './composition.ts';
import { measuredCatalogue } from './measured-catalogue.ts';

export interface SharedCatalogueConfig extends ProxyConfig {
  readonly UPSTREAM_URL: string;
  readonly ARTIFACT_BUCKET: string;
}

/** Returns the catalogue of OpenWrt, or of another distribution, that all functions share: its records are in the bucket. */
export function sharedCatalogue(
  config: SharedCatalogueConfig,
  { s3 }: { readonly s3: S3Client },
  parts: CompositionParts,
  distro?: Distro,
): UpstreamCatalogue {
  const upstream = distro === undefined ? { baseUrl: config.UPSTREAM_URL } : { baseUrl: distro.upstreamUrl, distro };
  return measuredCatalogue({ ...upstream, records: s3RecordStore(s3, config.ARTIFACT_BUCKET), now: () => new Date() }, config, parts);
}
