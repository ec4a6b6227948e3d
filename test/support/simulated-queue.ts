import type { BuildMessage, BuildQueue, ReceivedMessage } from '#core/build/ports.ts';
import type { Clock } from '#core/stores.ts';

/** A queue on a simulated clock that shows the worst behaviour that SQS allows. */
export interface SimulatedQueue extends BuildQueue {
  /** Delivers every message once more while its earlier deliveries are still valid, as SQS sometimes does. */
  deliverAgain(): void;
  /** The messages in the queue, visible or not. */
  readonly length: number;
}

interface Message extends BuildMessage {
  visibleAt: number;
  deliveries: number;
}

/**
 * Returns a queue with one copy of a message for all its deliveries: acknowledging any of them removes the message.
 * After `maxDeliveries` deliveries it does not deliver a message again, since SQS moves it to the dead letters.
 * `receive` never waits.
 */
export function simulatedQueue(now: Clock, maxDeliveries = 10): SimulatedQueue {
  const messages = new Set<Message>();
  const delivered = new Map<string, { message: Message; lapsesAt: number }>();
  let receipts = 0;

  const time = () => now().getTime();
  const current = ({ receipt }: ReceivedMessage) => {
    const delivery = delivered.get(receipt);
    return delivery !== undefined && delivery.lapsesAt > time() && messages.has(delivery.message) ? delivery.message : undefined;
  };
  const hide = (received: ReceivedMessage, seconds: number) => {
    const message = current(received);
    if (message !== undefined) message.visibleAt = time() + seconds * 1000;
    return message !== undefined;
  };
  const drop = (received: ReceivedMessage) => {
    const message = current(received);
    if (message !== undefined) messages.delete(message);
  };

  return {
    get length() {
      return messages.size;
    },
    deliverAgain: () => {
      for (const message of messages) message.visibleAt = time();
    },
    send: async ({ hash, correlationId }, { delaySeconds = 0 } = {}) => {
      messages.add({ hash, correlationId, visibleAt: time() + delaySeconds * 1000, deliveries: 0 });
    },
    receive: async ({ visibilitySeconds }) => {
      for (const message of messages) {
        if (message.visibleAt > time()) continue;
        if (message.deliveries === maxDeliveries) {
          messages.delete(message);
          continue;
        }
        message.deliveries += 1;
        message.visibleAt = time() + visibilitySeconds * 1000;
        receipts += 1;
        const receipt = String(receipts);
        delivered.set(receipt, { message, lapsesAt: message.visibleAt });
        return { hash: message.hash, correlationId: message.correlationId, receipt };
      }
      return undefined;
    },
    extend: async (received, visibilitySeconds) => {
      const delivery = delivered.get(received.receipt);
      if (delivery !== undefined && hide(received, visibilitySeconds)) delivery.lapsesAt = delivery.message.visibleAt;
    },
    acknowledge: async (received) => drop(received),
    release: async (received, delaySeconds = 0) => {
      if (hide(received, delaySeconds)) delivered.delete(received.receipt);
    },
    bury: async (received) => drop(received),
  };
}
