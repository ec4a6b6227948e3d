import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { ResourceError } from './resource-error.ts';

/** Throws a `ResourceError` unless the queue is there and may be used. */
export async function assertQueueReady(client: SQSClient, queueUrl: string): Promise<void> {
  try {
    await client.send(new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['QueueArn'] }));
  } catch (error) {
    throw new ResourceError(`SQS queue ${queueUrl}`, error);
  }
}
