import type { SQSClient } from '@aws-sdk/client-sqs';
import type { BuildMessage, BuildQueue, ReceivedMessage } from '#core/build/ports.ts';

export interface SteppedQueueParts {
  /** The queue, whose service hides messages until `show` (`hidingUntilShown`). */
  readonly queue: BuildQueue;
  /** Makes a hidden message visible. */
  readonly show: (receipt: string) => Promise<unknown>;
  /** The simulated time in milliseconds. */
  readonly time: () => number;
}

export interface SteppedQueue extends BuildQueue {
  /** The number of messages in the queue, visible or not. */
  readonly left: () => number;
}

interface Delivery {
  dueMs: number;
  /** Whether its receiver still has it: it has not released it. */
  isHeld: boolean;
}

/**
 * Returns a real queue on simulated time, although the clock of its service cannot be set. The service keeps, delivers
 * and deletes the messages; this queue says when a delay and a visibility end, and shows the message then. `receive`
 * never waits: it asks the service only if a message is visible.
 */
export function steppedQueue({ queue, show, time }: SteppedQueueParts): SteppedQueue {
  const delayed = new Map<BuildMessage, number>();
  const hidden = new Map<string, Delivery>();
  let visible = 0;

  const isCurrent = ({ receipt }: ReceivedMessage) => {
    const delivery = hidden.get(receipt);
    return delivery?.isHeld === true && delivery.dueMs > time();
  };
  const after = (seconds: number) => time() + seconds * 1000;
  const step = async () => {
    for (const [message, dueMs] of delayed)
      if (dueMs <= time()) {
        delayed.delete(message);
        await queue.send(message);
        visible += 1;
      }
    for (const [receipt, { dueMs }] of hidden)
      if (dueMs <= time()) {
        hidden.delete(receipt);
        await show(receipt);
        visible += 1;
      }
  };

  return {
    left: () => delayed.size + hidden.size + visible,
    send: async (message, { delaySeconds = 0 } = {}) => {
      if (delaySeconds > 0) return void delayed.set({ ...message }, after(delaySeconds));
      await queue.send(message);
      visible += 1;
    },
    receive: async ({ visibilitySeconds }) => {
      await step();
      if (visible === 0) return undefined;
      const received = await queue.receive({ visibilitySeconds, signal: new AbortController().signal });
      if (received === undefined) throw new Error(`the service delivers none of ${visible} visible messages`);
      visible -= 1;
      hidden.set(received.receipt, { dueMs: after(visibilitySeconds), isHeld: true });
      return received;
    },
    extend: async (received, visibilitySeconds) => {
      if (isCurrent(received)) hidden.set(received.receipt, { dueMs: after(visibilitySeconds), isHeld: true });
      await queue.extend(received, visibilitySeconds);
    },
    acknowledge: async (received) => {
      if (isCurrent(received)) hidden.delete(received.receipt);
      await queue.acknowledge(received);
    },
    release: async (received, delaySeconds = 0) => {
      if (isCurrent(received)) hidden.set(received.receipt, { dueMs: after(delaySeconds), isHeld: false });
      await queue.release(received, delaySeconds);
    },
    bury: async (received, reason) => {
      if (isCurrent(received)) hidden.delete(received.receipt);
      await queue.bury(received, reason);
    },
  };
}

/** Longer than any simulation takes, and no longer than SQS hides a message. */
const UNTIL_SHOWN_SECONDS = 36_000;

/** Makes SQS hide the messages of this client until they are shown, and answer at once when none is visible. */
export function hidingUntilShown(client: SQSClient): SQSClient {
  client.middlewareStack.add(
    (next) => (args) => {
      const input = args.input as { VisibilityTimeout?: number; WaitTimeSeconds?: number };
      const isHidden = input.VisibilityTimeout !== undefined && input.VisibilityTimeout > 0;
      const stepped = {
        ...input,
        ...(isHidden && { VisibilityTimeout: UNTIL_SHOWN_SECONDS }),
        ...('WaitTimeSeconds' in input && { WaitTimeSeconds: 0 }),
      };
      return next({ ...args, input: stepped as typeof args.input });
    },
    { step: 'initialize' },
  );
  return client;
}
