import { ChangeMessageVisibilityCommand, GetQueueAttributesCommand, ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import { sqsBuildQueue } from '#adapters/aws/queue/build-queue.ts';
import { assertQueueReady } from '#adapters/aws/readiness.ts';
import type { ReceivedMessage } from '#core/build/ports.ts';
import { createBuildQueue } from '#local-aws/resources/create-resources.ts';
import { buildQueueContract } from '#test/contracts/build-queue.ts';
import { freshHash } from '#test/contracts/sample-builds.ts';
import { sqsClient } from './clients.ts';

buildQueueContract('sqs', async () => {
  const client = sqsClient();
  const urls = await createBuildQueue(client);
  const show = ({ receipt }: ReceivedMessage) =>
    client.send(new ChangeMessageVisibilityCommand({ QueueUrl: urls.queueUrl, ReceiptHandle: receipt, VisibilityTimeout: 0 }));
  return { queue: sqsBuildQueue(client, urls), show };
});

describe('a build queue on SQS', () => {
  const client = sqsClient();

  const deadLetters = async (url: string, count: number) => {
    const messages = [];
    while (messages.length < count) {
      const { Messages = [] } = await client.send(
        new ReceiveMessageCommand({ QueueUrl: url, WaitTimeSeconds: 5, MessageAttributeNames: ['All'] }),
      );
      messages.push(...Messages);
    }
    return messages.map(({ Body, MessageAttributes }) => ({ body: Body, reason: MessageAttributes?.['reason']?.StringValue }));
  };
  const receive = async (queue: ReturnType<typeof sqsBuildQueue>) => {
    for (;;) {
      const message = await queue.receive({ visibilitySeconds: 60, signal: new AbortController().signal });
      if (message) return message;
    }
  };
  const isEmpty = async (url: string) => {
    const names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible', 'ApproximateNumberOfMessagesDelayed'] as const;
    const { Attributes = {} } = await client.send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: [...names] }));
    return names.every((name) => Attributes[name] === '0');
  };

  it('sends only the hash and the correlation id', async () => {
    const urls = await createBuildQueue(client);
    const message = { hash: freshHash(), correlationId: 'only-these', request: 'not this' };
    await sqsBuildQueue(client, urls).send(message);
    const { Messages } = await client.send(new ReceiveMessageCommand({ QueueUrl: urls.queueUrl, MessageAttributeNames: ['All'] }));
    expect(JSON.parse(Messages?.[0]?.Body ?? '')).toEqual({ hash: message.hash, correlationId: 'only-these' });
    expect(Messages?.[0]?.MessageAttributes).toBeUndefined();
  });

  it('buries a message with a readable reason, whatever characters it contains', async () => {
    const urls = await createBuildQueue(client);
    const queue = sqsBuildQueue(client, urls);
    const message = { hash: freshHash(), correlationId: 'c' };
    for (const reason of ['Error: no space\u0000\u001b[31m, drei Wünsche', '']) {
      await queue.send(message);
      await queue.bury(await receive(queue), reason);
    }
    const body = JSON.stringify(message);
    const buried = await deadLetters(urls.deadLetterUrl, 2);
    expect(buried).toContainEqual({ body, reason: 'Error: no space\ufffd\ufffd[31m, drei Wünsche' });
    expect(buried).toContainEqual({ body, reason: 'unknown' });
    expect(await isEmpty(urls.queueUrl)).toBe(true);
  });

  it('moves a message to the dead letters if no receiver ever deletes it', async () => {
    const urls = await createBuildQueue(client, { maxReceiveCount: 2 });
    const queue = sqsBuildQueue(client, urls);
    await queue.send({ hash: freshHash(), correlationId: 'endless' });
    for (let delivery = 0; delivery < 2; delivery += 1) await queue.release(await receive(queue));
    // The queue checks the count when a receiver requests the next message.
    const asking = queue.receive({ visibilitySeconds: 60, signal: new AbortController().signal });
    expect(await deadLetters(urls.deadLetterUrl, 1)).toEqual([{ body: expect.stringContaining('endless'), reason: undefined }]);
    expect(await asking).toBeUndefined();
  });

  it.each(['', 'hello', '{"hash":"../../etc/passwd","correlationId":"x"}', '[]'])('buries a malformed message: %j', async (body) => {
    const urls = await createBuildQueue(client);
    await client.send(new SendMessageCommand({ QueueUrl: urls.queueUrl, MessageBody: body || ' ' }));
    const queue = sqsBuildQueue(client, urls);
    expect(await queue.receive({ visibilitySeconds: 60, signal: new AbortController().signal })).toBeUndefined();
    expect(await deadLetters(urls.deadLetterUrl, 1)).toEqual([{ body: body || ' ', reason: 'not a build message' }]);
    expect(await isEmpty(urls.queueUrl)).toBe(true);
  });

  it('listens to a signal only while it receives', async () => {
    const queue = sqsBuildQueue(client, await createBuildQueue(client));
    const { signal } = new AbortController();
    let listeners = 0;
    const counted = new Proxy(signal, {
      get: (target, name) => {
        const value = Reflect.get(target, name, target);
        if (name === 'addEventListener') listeners += 1;
        if (name === 'removeEventListener') listeners -= 1;
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    await queue.send({ hash: freshHash(), correlationId: 'c' });
    await queue.receive({ visibilitySeconds: 60, signal: counted });
    expect(listeners).toBe(0);
  });

  it('fails at the start with the name of a missing queue', async () => {
    const { queueUrl } = await createBuildQueue(client);
    await assertQueueReady(client, queueUrl);
    await expect(assertQueueReady(client, `${queueUrl}-missing`)).rejects.toThrow(/SQS queue \S+-missing cannot be used/);
  });
});
