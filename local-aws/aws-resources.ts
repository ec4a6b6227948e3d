import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { freshBucket, freshQueue, freshStatisticsTable, freshTable, type QueueUrls } from './create-resources.ts';

/** Everything a deployment keeps state in. */
export interface AwsResources extends QueueUrls {
  readonly table: string;
  readonly statisticsTable: string;
  readonly bucket: string;
}

/** How a LocalStack is reached: any credentials do. */
const LOCAL = { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' } as const;

/** Creates the resources in a LocalStack; with a prefix their names are known beforehand, without nobody else has them. */
export async function createAwsResources(localStackUrl: string, prefix?: string): Promise<AwsResources> {
  const credentials = { accessKeyId: LOCAL.AWS_ACCESS_KEY_ID, secretAccessKey: LOCAL.AWS_SECRET_ACCESS_KEY };
  const options = { endpoint: localStackUrl, region: LOCAL.AWS_REGION, credentials };
  const [dynamo, sqs, s3] = [new DynamoDBClient(options), new SQSClient(options), new S3Client({ ...options, forcePathStyle: true })];
  const name = (what: string) => (prefix === undefined ? undefined : `${prefix}-${what}`);
  const [table, statisticsTable, urls, bucket] = await Promise.all([
    freshTable(dynamo, name('builds')),
    freshStatisticsTable(dynamo, name('statistics')),
    freshQueue(sqs, undefined, name('queue')),
    freshBucket(s3, name('artifacts')),
  ]);
  for (const client of [dynamo, sqs, s3]) client.destroy();
  return { table, statisticsTable, bucket, ...urls };
}

/** What functions and runners are told of the resources: the names that infra/ gives them, and where to reach the services. */
export const environmentOf = (endpoint: string, resources: AwsResources): Readonly<Record<string, string>> => ({
  ...LOCAL,
  AWS_ENDPOINT_URL: endpoint,
  S3_FORCE_PATH_STYLE: 'true',
  BUILD_TABLE: resources.table,
  STATISTICS_TABLE: resources.statisticsTable,
  // The SDK goes where the queue's URL says, whatever its endpoint.
  BUILD_QUEUE_URL: resources.queueUrl.replace(/^https?:\/\/[^/]+/, endpoint),
  DEAD_LETTER_QUEUE_URL: resources.deadLetterUrl.replace(/^https?:\/\/[^/]+/, endpoint),
  ARTIFACT_BUCKET: resources.bucket,
});
