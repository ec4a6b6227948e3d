import { randomUUID } from 'node:crypto';

/** The names under which resources are created. The queue of dead letters has the queue's name with `-dead` after it. */
export interface ResourceNames {
  readonly builds: string;
  readonly statistics: string;
  readonly queue: string;
  readonly bucket: string;
}

/** Everything that a deployment keeps state in, as clients and settings name it. */
export interface AwsResources {
  readonly table: string;
  readonly statisticsTable: string;
  readonly queueUrl: string;
  readonly deadLetterUrl: string;
  readonly bucket: string;
}

export type ResourceKind = 'builds' | 'statistics' | 'queue' | 'bucket';

/** The names on a development machine: those of `npm run services`, `npm run local:aws` and `compose.services.yaml`. */
export const DEVELOPMENT_NAMES: ResourceNames = {
  builds: 'asu-builds',
  statistics: 'asu-statistics',
  queue: 'asu-builds',
  bucket: 'asu-artifacts',
};

/** The region and the account of LocalStack. */
export const REGION = 'us-east-1';
const ACCOUNT = '000000000000';

/** LocalStack takes any credentials. */
export const LOCAL_CREDENTIALS = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' } as const;

/** Names that no other deployment has. */
export function uniqueNames(): ResourceNames {
  const name = `asu-${randomUUID()}`;
  return { builds: `${name}-builds`, statistics: `${name}-statistics`, queue: `${name}-queue`, bucket: name };
}

export const deadLetterName = (queue: string): string => `${queue}-dead`;

/** The resources of these names behind the endpoint: the SDK sends to where a queue's URL points, whatever its endpoint is. */
export function resourcesAt(endpoint: string, { builds, statistics, queue, bucket }: ResourceNames): AwsResources {
  const urlOf = (name: string) => `${endpoint}/queue/${REGION}/${ACCOUNT}/${name}`;
  return { table: builds, statisticsTable: statistics, queueUrl: urlOf(queue), deadLetterUrl: urlOf(deadLetterName(queue)), bucket };
}

/** The environment of a process that uses resources of these kinds, or of all kinds: the names that infra/ gives it, and how to reach the endpoint. */
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

/** The environment of a process that uses every kind of resource in a LocalStack. */
export const localEnvironment = (endpoint: string, names: ResourceNames): Record<string, string> => ({
  ...LOCAL_CREDENTIALS,
  ...resourceEnvironment(endpoint, names),
});
