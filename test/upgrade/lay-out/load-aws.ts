import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AttributeValue, type DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { AwsResources } from '#local-aws/resources/aws-resources.ts';
import type { ResourceClients } from '#local-aws/resources/create-resources.ts';
import type { Recording } from '../recordings.ts';
import { readdressed } from './catalogue-key.ts';
import type { DumpedItem, DumpedMessage, DumpedObject, DumpedQueues, DumpedTables, DumpedValue } from './dumped.ts';
import { daysSince, shiftAllDays, shiftInstants, shiftPacked, shiftSeconds } from './shift-days.ts';

/**
 * Writes a recording into empty tables, queues and an empty bucket. They differ in three ways from those that the earlier version
 * left, and none of them changes a format. Times move by whole days, as in `layOutData` (times inside objects stay). Catalogue
 * records belong to the upstream at `upstreamUrl`. Messages that a runner had received are visible again.
 */
export async function loadAws(
  { directory, facts }: Recording,
  { dynamo, s3, sqs }: ResourceClients,
  resources: AwsResources,
  upstreamUrl: string,
): Promise<void> {
  const days = daysSince(facts.recordedAt, new Date());
  const read = <T>(name: string) => JSON.parse(readFileSync(join(directory, name), 'utf8')) as T;
  const tables = read<DumpedTables>('tables.json');
  for (const item of tables.builds) await putItem(dynamo, resources.table, shiftItem(item, shiftInstants, days));
  for (const item of tables.statistics) await putItem(dynamo, resources.statisticsTable, shiftItem(item, shiftAllDays, days));
  for (const { key, headers, text, base64 } of read<DumpedObject[]>('objects.json'))
    await s3.send(
      new PutObjectCommand({
        Bucket: resources.bucket,
        Key: readdressed(key, facts.upstreamUrl, upstreamUrl),
        Body: text ?? Buffer.from(base64 ?? '', 'base64'),
        ...headers,
      }),
    );
  const queues = read<DumpedQueues>('queues.json');
  for (const message of queues.builds) await send(sqs, resources.queueUrl, message);
  for (const message of queues.deadLetters) await send(sqs, resources.deadLetterUrl, message);
}

const putItem = (client: DynamoDBClient, TableName: string, Item: Record<string, AttributeValue>) =>
  client.send(new PutItemCommand({ TableName, Item }));

/** The item with its times moved. A body in the statistics table is compressed text; one in the build table is an order, without times. */
function shiftItem(item: DumpedItem, shiftText: (text: string, days: number) => string, days: number): Record<string, AttributeValue> {
  const shifted = (name: string, value: DumpedValue): AttributeValue => {
    if ('S' in value) return { S: shiftText(value.S, days) };
    if ('N' in value && name === 'ttl') return { N: String(shiftSeconds(Number(value.N), days)) };
    if (!('B' in value)) return value;
    const bytes = Buffer.from(value.B, 'base64');
    return { B: name === 'body' && shiftText === shiftAllDays ? shiftPacked(bytes, days) : bytes };
  };
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, shifted(name, value)]));
}

const send = (client: SQSClient, QueueUrl: string, { body, attributes }: DumpedMessage) =>
  client.send(
    new SendMessageCommand({
      QueueUrl,
      MessageBody: body,
      MessageAttributes: Object.fromEntries(
        Object.entries(attributes).map(([name, StringValue]) => [name, { DataType: 'String', StringValue }]),
      ),
    }),
  );
