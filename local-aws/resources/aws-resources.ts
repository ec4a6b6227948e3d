import { randomUUID } from 'node:crypto';

/** The names under which resources are created. The dead-letter queue has the queue's name with `-dead` appended. */
export interface ResourceNames {
  readonly builds: string;
  readonly statistics: string;
  readonly queue: string;
  readonly bucket: string;
}

/** The resources in which a deployment keeps its state, by the names and URLs that clients and settings use. */
export interface AwsResources {
  readonly table: string;
  readonly statisticsTable: string;
  readonly queueUrl: string;
  readonly deadLetterUrl: string;
  readonly bucket: string;
}

export type ResourceKind = 'builds' | 'statistics' | 'queue' | 'bucket';

/** The names on a development machine, used by `npm run services`, `npm run local:aws` and `compose.services.yaml`. */
export const DEVELOPMENT_NAMES: ResourceNames = {
  builds: 'asu-builds',
  statistics: 'asu-statistics',
  queue: 'asu-builds',
  bucket: 'asu-artifacts',
};

/** The region and the account of LocalStack. */
export const REGION = 'us-east-1';
const ACCOUNT = '000000000000';

/** Credentials for LocalStack, which accepts any. */
export const LOCAL_CREDENTIALS = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' } as const;

/** Returns names that no other deployment has. */
export function uniqueNames(): ResourceNames {
  const name = `asu-${randomUUID()}`;
  return { builds: `${name}-builds`, statistics: `${name}-statistics`, queue: `${name}-queue`, bucket: name };
}

export const deadLetterName = (queue: string): string => `${queue}-dead`;

/**
 * Returns the resources with these names, reached through the endpoint. The queues' URLs contain the endpoint, because
 * the SDK sends to the host in the queue's URL and ignores its own endpoint there.
 */
export function resourcesAt(endpoint: string, { builds, statistics, queue, bucket }: ResourceNames): AwsResources {
  const urlOf = (name: string) => `${endpoint}/queue/${REGION}/${ACCOUNT}/${name}`;
  return { table: builds, statisticsTable: statistics, queueUrl: urlOf(queue), deadLetterUrl: urlOf(deadLetterName(queue)), bucket };
}

/**
 * Returns the environment of a process that uses resources of these kinds (by default, of all kinds): the variables
 * that infra/ sets, and the endpoint.
 */
export function resourceEnvironment(endpoint: string, names: ResourceNames, kinds?: readonly ResourceKind[]): Record<string, string> {
  const uses = (kind: ResourceKind) => kinds === undefined || kinds.includes(kind);
  const resources = resourcesAt(endpoint, names);
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: REGION,
    ...(uses('builds') && { BUILD_TABLE: resources.table }),
    ...(uses('statistics') && { STATISTICS_TABLE: resources.statisticsTable }),
    ...(uses('queue') && { BUILD_QUEUE_URL: resources.queueUrl, DEAD_LETTER_QUEUE_URL: resources.deadLetterUrl }),
    ...(uses('bucket') && { ARTIFACT_BUCKET: resources.bucket, S3_FORCE_PATH_STYLE: 'true' }),
  };
}

/** Returns the environment of a process that uses every kind of resource in a LocalStack. */
export const localEnvironment = (endpoint: string, names: ResourceNames): Record<string, string> => ({
  ...LOCAL_CREDENTIALS,
  ...resourceEnvironment(endpoint, names),
});
