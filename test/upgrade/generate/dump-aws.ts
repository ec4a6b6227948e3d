import { setTimeout as pause } from 'node:timers/promises';
import { type AttributeValue, type DynamoDBClient, paginateScan } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3';
import { DeleteMessageCommand, GetQueueAttributesCommand, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { DumpedItem, DumpedMessage, DumpedObject } from '../lay-out/dumped.ts';

/** Every item of a table, in DynamoDB's own JSON, in an order that does not depend on DynamoDB. */
export async function dumpTable(client: DynamoDBClient, TableName: string): Promise<DumpedItem[]> {
  const items: DumpedItem[] = [];
  for await (const { Items = [] } of paginateScan({ client }, { TableName, ConsistentRead: true })) items.push(...Items.map(dumpedItem));
  return items.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

/** The item with its bytes in base64, since JSON has none. */
function dumpedItem(item: Record<string, AttributeValue>): DumpedItem {
  const names = Object.keys(item).sort();
  return Object.fromEntries(
    names.map((name) => {
      const value = item[name];
      return [name, value?.B === undefined ? value : { B: Buffer.from(value.B).toString('base64') }];
    }),
  ) as DumpedItem;
}

/** Every object of a bucket with its headers. */
export async function dumpObjects(client: S3Client, Bucket: string): Promise<DumpedObject[]> {
  const objects: DumpedObject[] = [];
  for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket }))
    for (const { Key = '' } of Contents) {
      const found = await client.send(new GetObjectCommand({ Bucket, Key }));
      const bytes = Buffer.from((await found.Body?.transformToByteArray()) ?? []);
      const text = bytes.toString('utf8');
      objects.push({
        key: Key,
        headers: {
          ContentType: found.ContentType,
          CacheControl: found.CacheControl,
          ContentDisposition: found.ContentDisposition,
          ContentEncoding: found.ContentEncoding,
          Metadata: found.Metadata,
        },
        ...(Buffer.from(text).equals(bytes) ? { text } : { base64: bytes.toString('base64') }),
      });
    }
  return objects;
}

/** Removes every message from a queue and returns them all, also those that the killed runner had received: they become visible again. */
export async function dumpQueue(client: SQSClient, QueueUrl: string): Promise<DumpedMessage[]> {
  const messages: DumpedMessage[] = [];
  for (;;) {
    const { Messages = [] } = await client.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1, MessageAttributeNames: ['All'] }),
    );
    for (const { Body = '', MessageAttributes = {}, ReceiptHandle } of Messages) {
      const attributes = Object.entries(MessageAttributes).map(([name, { StringValue = '' }]) => [name, StringValue]);
      messages.push({ body: Body, attributes: Object.fromEntries(attributes) });
      await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    }
    const names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible', 'ApproximateNumberOfMessagesDelayed'] as const;
    const { Attributes = {} } = await client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...names] }));
    if (names.every((name) => Number(Attributes[name]) === 0)) return messages;
    await pause(500);
  }
}
