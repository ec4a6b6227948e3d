import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { LOCAL_CREDENTIALS, REGION } from './aws-resources.ts';
import type { ResourceClients } from './create-resources.ts';

/**
 * Returns clients of the LocalStack at this address. (A deployed process makes its clients without address and
 * credentials.)
 */
export function localClients(localStackUrl: string, more: { readonly requestHandler?: object } = {}): ResourceClients {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = LOCAL_CREDENTIALS;
  const options = { endpoint: localStackUrl, region: REGION, credentials: { accessKeyId, secretAccessKey }, ...more };
  return { dynamo: new DynamoDBClient(options), sqs: new SQSClient(options), s3: new S3Client({ ...options, forcePathStyle: true }) };
}
