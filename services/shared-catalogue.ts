import type { S3Client } from '@aws-sdk/client-s3';
import { s3RecordStore } from '#adapters/aws/record-store.ts';
import { upstreamCatalogue } from '#adapters/upstream/upstream-catalogue.ts';
import type { Catalogue } from '#core/catalogue.ts';
import type { Log } from '#http/log.ts';

export interface SharedCatalogueSettings {
  readonly UPSTREAM_URL: string;
  readonly ARTIFACT_BUCKET: string;
}

/** The catalogue as all services see it: one copy in the bucket. */
export const sharedCatalogue = ({ UPSTREAM_URL, ARTIFACT_BUCKET }: SharedCatalogueSettings, s3: S3Client, log: Log): Catalogue =>
  upstreamCatalogue({
    baseUrl: UPSTREAM_URL,
    records: s3RecordStore(s3, ARTIFACT_BUCKET),
    now: () => new Date(),
    onFailure: (what, error) => log.warn('upstream could not be read', { what, error }),
  });
