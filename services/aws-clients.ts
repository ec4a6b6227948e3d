import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { ANSWERING_CLIENT, S3_SERVING_CLIENT } from '#adapters/aws/clients/client-options.ts';

/** The AWS clients of one service. The SDK itself reads from `AWS_ENDPOINT_URL` where AWS is. */
export const awsClients = ({ S3_FORCE_PATH_STYLE }: { readonly S3_FORCE_PATH_STYLE: boolean }) => ({
  dynamo: new DynamoDBClient(ANSWERING_CLIENT),
  sqs: new SQSClient(ANSWERING_CLIENT),
  s3: new S3Client({ ...S3_SERVING_CLIENT, forcePathStyle: S3_FORCE_PATH_STYLE }),
});
