import type { S3Client } from '@aws-sdk/client-s3';
import { s3RecordStore } from '#adapters/aws/objects/record-store.ts';
import type { UpstreamCatalogue } from '#adapters/upstream/upstream-catalogue.ts';
import type { CompositionParts } from './composition.ts';
import { measuredCatalogue } from './measured-catalogue.ts';

export interface SharedCatalogueConfig {
  readonly UPSTREAM_URL: string;
  readonly ARTIFACT_BUCKET: string;
}

/** The catalogue that all functions share: its records are in the bucket. */
export const sharedCatalogue = (
  { UPSTREAM_URL, ARTIFACT_BUCKET }: SharedCatalogueConfig,
  { s3 }: { readonly s3: S3Client },
  parts: CompositionParts,
): UpstreamCatalogue =>
  measuredCatalogue({ baseUrl: UPSTREAM_URL, records: s3RecordStore(s3, ARTIFACT_BUCKET), now: () => new Date() }, parts);
