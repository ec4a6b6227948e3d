import { ChangeMessageVisibilityCommand } from '@aws-sdk/client-sqs';
import { dynamoBuildSweep } from '#adapters/aws/builds/build-sweep.ts';
import { dynamoBuildTable } from '#adapters/aws/builds/build-table.ts';
import { s3ArtifactStore } from '#adapters/aws/objects/artifact-store.ts';
import { s3RecordStore } from '#adapters/aws/objects/record-store.ts';
import { type SqsBuildQueueUrls, sqsBuildQueue } from '#adapters/aws/queue/build-queue.ts';
import { dynamoQueuePositions } from '#adapters/aws/queue/queue-positions.ts';
import { dynamoStatistics } from '#adapters/aws/statistics/statistics.ts';
import type { ResourceClients } from '#local-aws/resources/create-resources.ts';
import { beside, inOneOrder } from './ports/beside.ts';
import { hidingUntilShown, steppedQueue } from './ports/stepped-queue.ts';
import { workDirectory } from './ports/work-directory.ts';
import { START_MS } from './process.ts';
import type { WorldOptions } from './world.ts';

/** The resources of one simulation, which no other uses. */
export interface SimulatedResources extends SqsBuildQueueUrls {
  readonly builds: string;
  readonly statistics: string;
  readonly bucket: string;
}

/**
 * Returns the ports of the services and of AWS: DynamoDB, SQS and S3. The table has no clock that matters: its time to
 * live is a week. That of SQS cannot be set, so `steppedQueue` says when a delay and a visibility end, and SQS does the
 * rest. As over SQLite, the queue is the real one alone.
 */
export const overAws =
  ({ dynamo, sqs, s3 }: ResourceClients, names: SimulatedResources, directory: string): NonNullable<WorldOptions['over']> =>
  (inMemory, { time, differs }) => {
    const { builds, statistics, bucket, queueUrl } = names;
    const work = workDirectory(directory, inMemory.disk);
    const queue = steppedQueue({
      queue: sqsBuildQueue(hidingUntilShown(sqs), names, { monotonic: time }),
      show: (receipt) => sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl: queueUrl, ReceiptHandle: receipt, VisibilityTimeout: 0 })),
      time,
    });
    const now = () => new Date(START_MS + time());
    return {
      builds: beside(inMemory.builds, dynamoBuildTable(dynamo, builds), { name: 'builds', differs }),
      buildsBehind: beside(inMemory.buildsBehind, dynamoBuildTable(dynamo, builds, { reads: 'eventual' }), { name: 'builds', differs }),
      // Each process remembers the newest ledger that it has read.
      positionsOfProcess: () => beside(inMemory.positionsOfProcess(), dynamoQueuePositions(dynamo, builds), { name: 'positions', differs }),
      sweep: beside(inMemory.sweep, dynamoBuildSweep(dynamo, builds), { name: 'sweep', differs, common: inOneOrder }),
      queue,
      messagesLeft: queue.left,
      artifacts: beside(inMemory.artifacts, s3ArtifactStore(s3, bucket), { name: 'artifacts', differs, realInput: work.realInput }),
      records: s3RecordStore(s3, bucket),
      statistics: beside(inMemory.statistics, dynamoStatistics(dynamo, statistics, now), {
        name: 'statistics',
        differs,
        common: inOneOrder,
      }),
      disk: work.disk,
    };
  };
