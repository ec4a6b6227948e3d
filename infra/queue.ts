import { BUILD_QUEUE, DEAD_LETTER_QUEUE } from '#adapters/aws/resources.ts';

/** The queue of builds that three attempts could not build, each with the reason. */
export const deadLetters = new sst.aws.Queue('DeadLetters', {
  transform: { queue: { messageRetentionSeconds: DEAD_LETTER_QUEUE.retentionSeconds, sqsManagedSseEnabled: true } },
});

export const queue = new sst.aws.Queue('Queue', {
  visibilityTimeout: `${BUILD_QUEUE.visibilityTimeoutSeconds} seconds`,
  dlq: { queue: deadLetters.arn, retry: BUILD_QUEUE.maxReceiveCount },
  transform: {
    queue: {
      messageRetentionSeconds: BUILD_QUEUE.retentionSeconds,
      receiveWaitTimeSeconds: BUILD_QUEUE.receiveWaitSeconds,
      sqsManagedSseEnabled: true,
    },
  },
});
