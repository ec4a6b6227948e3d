import { GetQueueAttributesCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { dynamoBuildTable } from '#adapters/aws/builds/build-table.ts';
import { s3ArtifactStore } from '#adapters/aws/objects/artifact-store.ts';
import { sqsBuildQueue } from '#adapters/aws/queue/build-queue.ts';
import type { RequestHash } from '#core/request/request-hash.ts';
import type { AwsResources } from '#local-aws/resources/aws-resources.ts';
import { dynamoClient, s3Client, sqsClient } from '../clients.ts';

/** Reads the resources of a stack directly, without the stack's functions. */
export function awsState(resources: AwsResources) {
  const sqs = sqsClient();
  const builds = dynamoBuildTable(dynamoClient(), resources.table);
  return {
    builds,
    artifacts: s3ArtifactStore(s3Client(), resources.bucket),
    queue: sqsBuildQueue(sqs, resources),
    build: (hash: string) => builds.get(hash as RequestHash),
    /** Returns the number of messages in the queue: visible, in flight and delayed. */
    async messages(): Promise<number> {
      const names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible', 'ApproximateNumberOfMessagesDelayed'] as const;
      const { Attributes = {} } = await sqs.send(
        new GetQueueAttributesCommand({ QueueUrl: resources.queueUrl, AttributeNames: [...names] }),
      );
      return names.reduce((sum, name) => sum + Number(Attributes[name]), 0);
    },
    /** Waits for the next dead letter and returns it. */
    async deadLetter(): Promise<{ body: unknown; reason: string | undefined }> {
      for (;;) {
        const { Messages = [] } = await sqs.send(
          new ReceiveMessageCommand({ QueueUrl: resources.deadLetterUrl, WaitTimeSeconds: 5, MessageAttributeNames: ['All'] }),
        );
        const [message] = Messages;
        if (message) return { body: JSON.parse(message.Body ?? 'null'), reason: message.MessageAttributes?.['reason']?.StringValue };
      }
    },
  };
}
