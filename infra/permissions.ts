import { BUILD_TABLE } from '#adapters/aws/resources.ts';
import { bucket } from './bucket.ts';
import { deadLetters, queue } from './queue.ts';
import { builds, statistics } from './table.ts';

// Permissions for roles, by purpose. SST's links would grant everything on a resource; these grant only the calls that
// the code makes.

const objects = (...prefixes: string[]) => prefixes.map((prefix) => $interpolate`${bucket.arn}/${prefix}*`);

export const readObjects = (...prefixes: string[]) => ({ actions: ['s3:GetObject'], resources: objects(...prefixes) });

export const putObjects = (...prefixes: string[]) => ({
  actions: ['s3:PutObject', 's3:AbortMultipartUpload'],
  resources: objects(...prefixes),
});

export const removeObjects = (...prefixes: string[]) => ({ actions: ['s3:DeleteObject'], resources: objects(...prefixes) });

/** Permission to list. Without it S3 answers "forbidden" for a missing object, which looks like a denied one. */
export const listBucket = { actions: ['s3:ListBucket'], resources: [bucket.arn] };

export const readBuilds = { actions: ['dynamodb:GetItem', 'dynamodb:Query'], resources: [builds.arn] };

/** Permission for transitions of existing rows; each is one conditional write. */
export const moveBuilds = { actions: ['dynamodb:UpdateItem'], resources: [builds.arn] };

export const writeBuilds = {
  actions: ['dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem'],
  resources: [builds.arn],
};

/** Permission to query the index of builds that wait, run or have ended. */
export const queryBuilds = {
  actions: ['dynamodb:Query'],
  resources: [$interpolate`${builds.arn}/index/${BUILD_TABLE.sweepIndex.name}`],
};

/** Permission to read the rows that the index returned. */
export const readManyBuilds = { actions: ['dynamodb:BatchGetItem'], resources: [builds.arn] };

export const readStatistics = { actions: ['dynamodb:GetItem', 'dynamodb:Query'], resources: [statistics.arn] };

/** Permission to count. A late count invalidates the sums of its day, so the function deletes them. */
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
