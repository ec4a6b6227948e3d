import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { expect, it } from 'vitest';
import { dynamoStatisticsReport } from '#adapters/aws/statistics/statistics-report.ts';
import { NO_FIGURES, sumOf } from '#core/statistics/counts.ts';
import { createBucket, createBuildQueue, createBuildTable, createStatisticsTable } from '#local-aws/resources/create-resources.ts';
import { overAws } from '#test/simulation/over-aws.ts';
import { simulate } from '#test/simulation/simulate.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { dynamoClient, s3Client, sqsClient } from './clients.ts';

/** Seeds that take few steps for the builds and faults that they have: each step is some requests to LocalStack. */
const SEEDS = [59, 77];

it.each(SEEDS)('seed %i keeps every promise over DynamoDB, SQS and S3, which answer as the stores in memory do', async (seed) => {
  const clients = { dynamo: dynamoClient(), sqs: sqsClient(), s3: s3Client() };
  const names = {
    builds: await createBuildTable(clients.dynamo),
    statistics: await createStatisticsTable(clients.dynamo),
    bucket: await createBucket(clients.s3),
    ...(await createBuildQueue(clients.sqs)),
  };
  const { broken, faults, steps, builds } = await simulate({ seed, over: overAws(clients, names, await temporaryDirectory()) });
  expect(broken?.message).toBeUndefined();
  expect(steps).toBeGreaterThan(100);
  expect(faults.length).toBeGreaterThan(10);
  expect(builds).toBeGreaterThan(0);

  const report = dynamoStatisticsReport(clients.dynamo, names.statistics);
  const hours = await report.figures('hour', new Date('2026-11-20T00:00:00Z'), new Date('2026-11-21T00:00:00Z'));
  const { misses, successes, failures, cancelled } = sumOf([NO_FIGURES, ...hours]);
  expect(misses).toBe(successes + failures + cancelled);
  const left = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible', 'ApproximateNumberOfMessagesDelayed'] as const;
  const { Attributes } = await sqsClient().send(new GetQueueAttributesCommand({ QueueUrl: names.queueUrl, AttributeNames: [...left] }));
  expect(Attributes).toEqual(Object.fromEntries(left.map((name) => [name, '0'])));
});
