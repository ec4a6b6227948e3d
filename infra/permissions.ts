import { BUILD_TABLE } from '#adapters/aws/resources.ts';
import { bucket } from './bucket.ts';
import { deadLetters, queue } from './queue.ts';
import { table } from './table.ts';

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

export const readBuilds = { actions: ['dynamodb:GetItem', 'dynamodb:Query'], resources: [table.arn] };

/** One conditional write per transition of a row that is there. */
export const moveBuilds = { actions: ['dynamodb:UpdateItem'], resources: [table.arn] };

export const writeBuilds = {
  actions: ['dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem'],
  resources: [table.arn],
};

/** The index says where to look, the rows decide. */
export const sweepBuilds = [
  { actions: ['dynamodb:Query'], resources: [$interpolate`${table.arn}/index/${BUILD_TABLE.sweepIndex.name}`] },
  { actions: ['dynamodb:BatchGetItem'], resources: [table.arn] },
];

export const sendMessages = { actions: ['sqs:SendMessage', 'sqs:GetQueueAttributes'], resources: [queue.arn] };

export const takeMessages = {
  actions: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:ChangeMessageVisibility', 'sqs:GetQueueAttributes'],
  resources: [queue.arn],
};

export const buryMessages = { actions: ['sqs:SendMessage'], resources: [deadLetters.arn] };
