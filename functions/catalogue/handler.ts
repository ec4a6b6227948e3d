import { S3Client } from '@aws-sdk/client-s3';
import { handle } from 'hono/aws-lambda';
import { S3_CLIENT } from '#adapters/aws/clients/client-options.ts';
import { s3RecordStore } from '#adapters/aws/objects/record-store.ts';
import { assertBucketReady } from '#adapters/aws/readiness.ts';
import { fetchByNodeHttp } from '#adapters/upstream/fetch-by-node-http.ts';
import { upstreamCatalogue } from '#adapters/upstream/upstream-catalogue.ts';
import { httpApp } from '#http/http-app.ts';
import { emfMetrics } from '#observe/emf-metrics.ts';
import { measuredFetch } from '#observe/measured-fetch.ts';
import { processLog } from '#observe/process-log.ts';
import { serverFacts } from '#settings/server-facts.ts';
import manifest from '../../package.json' with { type: 'json' };
import { catalogueApp } from './app.ts';
import { loadConfig } from './config.ts';

const config = loadConfig();
const log = processLog(config.LOG_LEVEL, 'catalogue');
const metrics = emfMetrics({ service: 'catalogue', namespace: config.METRICS_NAMESPACE });
const now = () => new Date();
const s3 = new S3Client({ ...S3_CLIENT, forcePathStyle: config.S3_FORCE_PATH_STYLE });
const facts = serverFacts(config, manifest.version);
const catalogue = upstreamCatalogue({
  fetch: measuredFetch(metrics.onUpstream, fetchByNodeHttp),
  baseUrl: config.UPSTREAM_URL,
  records: s3RecordStore(s3, config.ARTIFACT_BUCKET),
  now,
  onError: (what, error) => log.warn('upstream could not be read', { what, error }),
});

await assertBucketReady(s3, config.ARTIFACT_BUCKET);

export const handler = handle(
  httpApp(
    { log, onAnswered: metrics.onAnswered },
    catalogueApp({ catalogue, upstreamUrl: config.UPSTREAM_URL, branches: () => config.BRANCHES, serverFacts: () => facts }),
  ),
);
