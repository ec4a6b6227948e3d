import type { BuildMessage, BuildQueue, ReceivedMessage } from '#core/build/ports.ts';
import type { Random } from '../random.ts';

export interface MemoryBuildQueue extends BuildQueue {
  /** The messages in the queue, visible or not. */
  readonly messages: readonly BuildMessage[];
  readonly deadLetters: readonly (BuildMessage & { readonly reason: string })[];
}

/** How often the queue shows the worst that SQS allows. */
export interface QueueManners {
  /** The chance that a look delivers a message that is hidden, beside its earlier delivery. */
  readonly twice: () => number;
  /** The chance that a delivery's receipt is worth nothing from the start. */
  readonly lostReceipt: () => number;
}

interface Message extends BuildMessage {
  visibleAt: number;
  deliveries: number;
}

/** The longest delay that `BuildQueue` promises; SQS refuses a longer one. */
const MAX_DELAY_SECONDS = 900;
/** SQS moves a message to the dead letters after so many deliveries. */
const MAX_DELIVERIES = 10;

/**
 * A queue in memory that delivers in any order, sometimes twice, and loses receipts. `receive` never waits. Several
 * deliveries of one message may be valid at once; to acknowledge any of them removes the message.
 */
export function memoryBuildQueue(time: () => number, random: Random, manners: QueueManners): MemoryBuildQueue {
  const messages: Message[] = [];
  const deadLetters: (BuildMessage & { reason: string })[] = [];
  const delivered = new Map<string, { readonly message: Message; lapsesAt: number }>();
  let receipts = 0;

  const drop = (message: Message) => void messages.splice(messages.indexOf(message), 1);
  const current = ({ receipt }: ReceivedMessage) => {
    const delivery = delivered.get(receipt);
    const isCurrent = delivery !== undefined && delivery.lapsesAt > time() && messages.includes(delivery.message);
    return isCurrent ? delivery : undefined;
  };
  const next = () => {
    const seen = random.chance(manners.twice()) ? messages : messages.filter(({ visibleAt }) => visibleAt <= time());
    return seen.length === 0 ? undefined : random.pick(seen);
  };
  const bury = (message: Message, reason: string) => {
    drop(message);
    deadLetters.push({ hash: message.hash, correlationId: message.correlationId, reason });
  };

  return {
    messages,
    deadLetters,
    send: async ({ hash, correlationId }, { delaySeconds = 0 } = {}) => {
      if (delaySeconds > MAX_DELAY_SECONDS) throw new RangeError(`no message can be delayed for ${delaySeconds} s`);
      messages.push({ hash, correlationId, visibleAt: time() + delaySeconds * 1000, deliveries: 0 });
    },
    receive: async ({ visibilitySeconds }) => {
      const message = next();
      if (message === undefined) return undefined;
      if (message.deliveries === MAX_DELIVERIES) {
        bury(message, 'delivered too often');
        return undefined;
      }
      message.deliveries += 1;
      message.visibleAt = time() + visibilitySeconds * 1000;
      receipts += 1;
      const receipt = `receipt-${receipts}`;
      if (!random.chance(manners.lostReceipt())) delivered.set(receipt, { message, lapsesAt: message.visibleAt });
      return { hash: message.hash, correlationId: message.correlationId, receipt };
    },
    extend: async (received, visibilitySeconds) => {
      const delivery = current(received);
      if (delivery === undefined) return;
      delivery.lapsesAt = time() + visibilitySeconds * 1000;
      delivery.message.visibleAt = delivery.lapsesAt;
    },
    acknowledge: async (received) => {
      const delivery = current(received);
      if (delivery !== undefined) drop(delivery.message);
    },
    release: async (received, delaySeconds = 0) => {
      const delivery = current(received);
      if (delivery === undefined) return;
      delivery.message.visibleAt = time() + delaySeconds * 1000;
      delivered.delete(received.receipt);
    },
    bury: async (received, reason) => {
      const delivery = current(received);
      if (delivery !== undefined) bury(delivery.message, reason);
    },
  };
}
