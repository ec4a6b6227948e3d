import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  type Message,
  MessageNotInflight,
  ReceiptHandleIsInvalid,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import * as z from 'zod';
import type { BuildQueue, ReceivedMessage } from '#core/build/ports.ts';
import { RequestHash } from '#core/request/request-hash.ts';
import type { Monotonic } from '#core/stores.ts';
import { withServiceError } from '../clients/with-service-error.ts';
import { BUILD_QUEUE } from '../resources.ts';
import { currentReceipts } from './current-receipts.ts';

export interface SqsBuildQueueUrls {
  readonly queueUrl: string;
  readonly deadLetterUrl: string;
}

export interface SqsBuildQueueOptions {
  /** The clock by which this process knows that a receipt has lapsed. */
  readonly monotonic?: Monotonic;
}

const Body = z.object({ hash: RequestHash, correlationId: z.string() });

/** A length that people read. SQS would accept 256 KB. */
const MAX_REASON_LENGTH = 1_000;
/** The characters that SQS refuses in an attribute. */
const UNPRINTABLE = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd]/g;

/**
 * Returns a queue on a standard SQS queue with a dead-letter queue. SQS still accepts old receipts, so this process
 * records which ones are current (`current-receipts.ts`), and never sends a call with a receipt that has lapsed or was
 * used.
 */
export function sqsBuildQueue(
  client: SQSClient,
  { queueUrl, deadLetterUrl }: SqsBuildQueueUrls,
  { monotonic }: SqsBuildQueueOptions = {},
): BuildQueue {
  const receipts = currentReceipts(monotonic);
  const call = <T>(promise: Promise<T>) => withServiceError('build queue', promise);

  const changeVisibility = (receipt: string, seconds: number): Promise<unknown> =>
    withoutStaleReceiptError(
      call(
        client.send(
          new ChangeMessageVisibilityCommand({ QueueUrl: queueUrl, ReceiptHandle: receipt, VisibilityTimeout: Math.ceil(seconds) }),
        ),
      ),
    );
  const drop = (receipt: string): Promise<unknown> =>
    withoutStaleReceiptError(call(client.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle: receipt }))));

  const bury = async (receipt: string, body: string, reason: string): Promise<void> => {
    const StringValue = reason.slice(0, MAX_REASON_LENGTH).replace(UNPRINTABLE, '\ufffd') || 'unknown';
    const MessageAttributes = { reason: { DataType: 'String', StringValue } };
    await call(client.send(new SendMessageCommand({ QueueUrl: deadLetterUrl, MessageBody: body, MessageAttributes })));
    // A crash before this line leaves the message in both queues. The next runner that receives it finds the build
    // failed, and buries the message again.
    await drop(receipt);
  };

  /** Returns the message, or buries it when it is not a build message, because SQS would deliver it again and again. */
  const read = async ({ Body: body = '', ReceiptHandle: receipt = '' }: Message): Promise<ReceivedMessage | undefined> => {
    const parsed = Body.safeParse(parseJson(body));
    if (parsed.success) return { ...parsed.data, receipt };
    await bury(receipt, body || '-', 'not a build message');
    return undefined;
  };

  const poll = async (visibilitySeconds: number): Promise<Message | undefined> => {
    const { Messages = [] } = await call(
      client.send(
        new ReceiveMessageCommand({
          QueueUrl: queueUrl,
          MaxNumberOfMessages: 1,
          WaitTimeSeconds: BUILD_QUEUE.receiveWaitSeconds,
          VisibilityTimeout: visibilitySeconds,
        }),
      ),
    );
    return Messages[0];
  };

  return {
    async send({ hash, correlationId }, { delaySeconds = 0 } = {}) {
      const MessageBody = JSON.stringify({ hash, correlationId });
      await call(client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody, DelaySeconds: Math.ceil(delaySeconds) })));
    },

    async receive({ visibilitySeconds, signal }) {
      if (signal.aborted) return undefined;
      const polling = poll(visibilitySeconds);
      const message = await raceAbort(polling, signal);
      if (message === 'aborted') {
        // The poll is not cancelled: SQS could still hand it a message, which would then stay hidden until its
        // visibility ends.
        polling.then((late) => late && changeVisibility(late.ReceiptHandle ?? '', 0)).catch(() => undefined);
        return undefined;
      }
      const received = message && (await read(message));
      if (received) receipts.add(received.receipt, visibilitySeconds);
      return received;
    },

    async extend({ receipt }, visibilitySeconds) {
      if (!receipts.isCurrent(receipt)) return;
      receipts.add(receipt, visibilitySeconds);
      await changeVisibility(receipt, visibilitySeconds);
    },

    async acknowledge({ receipt }) {
      if (receipts.take(receipt)) await drop(receipt);
    },

    async release({ receipt }, delaySeconds = 0) {
      if (receipts.take(receipt)) await changeVisibility(receipt, delaySeconds);
    },

    async bury({ receipt, hash, correlationId }, reason) {
      if (receipts.take(receipt)) await bury(receipt, JSON.stringify({ hash, correlationId }), reason);
    },
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Resolves as `work` does, or with `aborted` as soon as the signal aborts. It then stops listening to the signal,
 * because a runner's signal lives as long as the runner.
 */
async function raceAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T | 'aborted'> {
  const aborted = Promise.withResolvers<'aborted'>();
  const abort = () => aborted.resolve('aborted');
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/**
 * Ignores the refusal of a receipt whose message another runner has meanwhile, or is gone: the port says that nothing
 * happens then.
 */
async function withoutStaleReceiptError(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    const isOver =
      error instanceof MessageNotInflight || error instanceof ReceiptHandleIsInvalid || isNamed(error, 'InvalidParameterValue');
    if (!isOver) throw error;
  }
}

/**
 * Returns whether the error has this name. SQS refuses a receipt whose message is visible again with an error that has
 * no class.
 */
const isNamed = (error: unknown, name: string): boolean => error instanceof Error && error.name === name;
