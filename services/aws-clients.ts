import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { DYNAMO_CLIENT, S3_CLIENT, SQS_CLIENT } from '#adapters/aws/clients/client-options.ts';

/** The AWS clients of one process. The SDK itself reads from `AWS_ENDPOINT_URL` where AWS is. */
export const awsClients = ({ S3_FORCE_PATH_STYLE }: { readonly S3_FORCE_PATH_STYLE: boolean }, s3Options = S3_CLIENT) => ({
  dynamo: new DynamoDBClient(DYNAMO_CLIENT),
  sqs: new SQSClient(SQS_CLIENT),
  s3: new S3Client({ ...s3Options, forcePathStyle: S3_FORCE_PATH_STYLE }),
});
