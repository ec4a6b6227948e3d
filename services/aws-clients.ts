import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';

/** The clients of one process, once each. Where AWS's API is comes from the SDK's own `AWS_ENDPOINT_URL`. */
export const awsClients = ({ S3_FORCE_PATH_STYLE }: { readonly S3_FORCE_PATH_STYLE: boolean }) => ({
  dynamo: new DynamoDBClient(),
  sqs: new SQSClient(),
  s3: new S3Client({ forcePathStyle: S3_FORCE_PATH_STYLE }),
});
