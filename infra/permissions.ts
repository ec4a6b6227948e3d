import { BUILD_TABLE } from '#adapters/aws/resources.ts';
import { bucket } from './bucket.ts';
import { deadLetters, queue } from './queue.ts';
import { builds, statistics } from './table.ts';

/** What roles may do, by what for. SST's links would grant everything on a resource; these grant what the code calls. */

const objects = (...prefixes: string[]) => prefixes.map((prefix) => $interpolate`${bucket.arn}/${prefix}*`);

export const readObjects = (...prefixes: string[]) => ({ actions: ['s3:GetObject'], resources: objects(...prefixes) });

export const putObjects = (...prefixes: string[]) => ({
  actions: ['s3:PutObject', 's3:AbortMultipartUpload'],
  resources: objects(...prefixes),
});

export const removeObjects = (...prefixes: string[]) => ({ actions: ['s3:DeleteObject'], resources: objects(...prefixes) });

/** Without it S3 answers "forbidden" for what is not there, and nobody could tell. */
export const listBucket = { actions: ['s3:ListBucket'], resources: [bucket.arn] };

export const readBuilds = { actions: ['dynamodb:GetItem', 'dynamodb:Query'], resources: [builds.arn] };

/** One conditional write per transition of a row that is there. */
export const moveBuilds = { actions: ['dynamodb:UpdateItem'], resources: [builds.arn] };

export const writeBuilds = {
  actions: ['dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem'],
  resources: [builds.arn],
};

/** The index: who waits, who is at work, what is over. */
export const queryBuilds = {
  actions: ['dynamodb:Query'],
  resources: [$interpolate`${builds.arn}/index/${BUILD_TABLE.sweepIndex.name}`],
};

/** The rows that the index led to. */
export const readManyBuilds = { actions: ['dynamodb:BatchGetItem'], resources: [builds.arn] };

export const readStatistics = { actions: ['dynamodb:GetItem', 'dynamodb:Query'], resources: [statistics.arn] };

/** Counting adds to what is there, whoever made it. What came late voids a day's sums, and those go. */
export const countStatistics = {
  actions: ['dynamodb:GetItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem'],
  resources: [statistics.arn],
};

export const sumStatistics = {
  actions: ['dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem'],
  resources: [statistics.arn],
};

export const sendMessages = { actions: ['sqs:SendMessage', 'sqs:GetQueueAttributes'], resources: [queue.arn] };

export const takeMessages = {
  actions: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:ChangeMessageVisibility', 'sqs:GetQueueAttributes'],
  resources: [queue.arn],
};

export const buryMessages = { actions: ['sqs:SendMessage'], resources: [deadLetters.arn] };
