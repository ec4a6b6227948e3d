import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { inject } from 'vitest';

/** LocalStack takes any credentials; a client of a composition root has no options at all (CONTRIBUTING.md, Conventions). */
const options = () => ({
  endpoint: inject('localStackUrl'),
  region: 'us-east-1',
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  // Each waiting receiver holds a socket.
  requestHandler: { httpAgent: { maxSockets: 500 }, socketAcquisitionWarningTimeout: 60_000 },
});

export const dynamoClient = () => new DynamoDBClient(options());
export const sqsClient = () => new SQSClient(options());
export const s3Client = () => new S3Client({ ...options(), forcePathStyle: true });
