import type { S3Client } from '@aws-sdk/client-s3';
import { s3RecordStore } from '#adapters/aws/objects/record-store.ts';
import { fetchByNodeHttp } from '#adapters/upstream/fetch-by-node-http.ts';
import { upstreamCatalogue } from '#adapters/upstream/upstream-catalogue.ts';
import type { Catalogue } from '#core/catalogue/catalogue.ts';
import type { Log } from '#observe/log.ts';
import { measuredFetch } from '#observe/measured-fetch.ts';
import type { MetricEvents } from '#observe/metric-events.ts';

export interface SharedCatalogueSettings {
  readonly UPSTREAM_URL: string;
  readonly ARTIFACT_BUCKET: string;
}

export interface SharedCatalogueParts {
  readonly s3: S3Client;
  readonly log: Log;
  readonly metrics: Pick<MetricEvents, 'onUpstream'>;
}

/** The catalogue as all services see it: one copy in the bucket. */
export const sharedCatalogue = (
  { UPSTREAM_URL, ARTIFACT_BUCKET }: SharedCatalogueSettings,
  { s3, log, metrics }: SharedCatalogueParts,
): Catalogue =>
  upstreamCatalogue({
    fetch: measuredFetch(metrics.onUpstream, fetchByNodeHttp),
    baseUrl: UPSTREAM_URL,
    records: s3RecordStore(s3, ARTIFACT_BUCKET),
    now: () => new Date(),
    onError: (what, error) => log.warn('upstream could not be read', { what, error }),
  });
