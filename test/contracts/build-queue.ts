import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { BuildMessage, BuildQueue, ReceivedMessage } from '#core/build/ports.ts';
import { freshHash } from './sample-builds.ts';

/** The longest delay of a message, and the longest time that a message is hidden (core/build/ports.ts). */
const MAX_DELAY_SECONDS = 900;
const MAX_HIDDEN_SECONDS = 36_000;

/** A visibility in seconds that is longer than any of these tests. */
const LONG_SECONDS = 120;

const message = (correlationId = 'contract'): BuildMessage => ({ hash: freshHash(), correlationId });

const contents = ({ hash, correlationId }: BuildMessage): BuildMessage => ({ hash, correlationId });

/** Returns the next message; a receive that gave up is repeated. */
async function receive(queue: BuildQueue, visibilitySeconds = LONG_SECONDS): Promise<ReceivedMessage> {
  for (;;) {
    const received = await queue.receive({ visibilitySeconds, signal: new AbortController().signal });
    if (received) return received;
  }
}

/** Acknowledges and returns every message that arrives within the time. */
async function arrivals(queue: BuildQueue, milliseconds: number): Promise<ReceivedMessage[]> {
  const signal = AbortSignal.timeout(milliseconds);
  const received: ReceivedMessage[] = [];
  while (!signal.aborted) {
    const next = await queue.receive({ visibilitySeconds: LONG_SECONDS, signal });
    if (next === undefined) continue;
    received.push(next);
    await queue.acknowledge(next);
  }
  return received;
}

export interface QueueUnderTest {
  readonly queue: BuildQueue;
  /** Shows a message that is hidden, behind its receiver's back: the queue is about to deliver it twice. */
  readonly show: (hidden: ReceivedMessage) => unknown;
}

/** Calls that a receiver may make with one receipt. */
const CALLS: readonly (readonly [name: string, call: (queue: BuildQueue, received: ReceivedMessage) => Promise<void>])[] = [
  ['extend', (queue, received) => queue.extend(received, 0)],
  ['release', (queue, received) => queue.release(received)],
  ['acknowledge', (queue, received) => queue.acknowledge(received)],
  ['bury', (queue, received) => queue.bury(received, 'by a receipt that is worth nothing')],
];

/** The contract of every `BuildQueue` (core/build/ports.ts). `make` returns a queue that no other test uses. */
export function buildQueueContract(name: string, make: () => QueueUnderTest | Promise<QueueUnderTest>): void {
  const makeQueue = async () => (await make()).queue;
  // The tests run at once, each with its own queue, because they mostly wait.
  describe.concurrent(`build queue: ${name}`, () => {
    it('delivers what was sent, and never again after it is acknowledged', async () => {
      const queue = await makeQueue();
      const sent = message('correlation-1');
      await queue.send(sent);
      const received = await receive(queue, 1);
      expect(received).toEqual({ ...sent, receipt: expect.any(String) });
      await queue.acknowledge(received);
      expect(await arrivals(queue, 1_500)).toEqual([]);
    });

    it('delivers to a receiver that was waiting before', async () => {
      const queue = await makeQueue();
      const waiting = receive(queue);
      await sleep(50);
      const sent = message();
      await queue.send(sent);
      expect(contents(await waiting)).toEqual(sent);
    });

    it('answers undefined when the signal aborts, and takes nothing', async () => {
      const queue = await makeQueue();
      const controller = new AbortController();
      const waiting = queue.receive({ visibilitySeconds: LONG_SECONDS, signal: controller.signal });
      controller.abort();
      expect(await waiting).toBeUndefined();
      const sent = message();
      await queue.send(sent);
      expect(await queue.receive({ visibilitySeconds: LONG_SECONDS, signal: controller.signal })).toBeUndefined();
      expect(contents(await receive(queue))).toEqual(sent);
    });

    it('never gives one message to two receivers', async () => {
      const queue = await makeQueue();
      const sent = Array.from({ length: 30 }, () => message());
      const waiting = Promise.all(Array.from({ length: 30 }, () => receive(queue)));
      await Promise.all(sent.map((each) => queue.send(each)));
      const received = await waiting;
      expect(received.map(({ hash }) => hash).sort()).toEqual(sent.map(({ hash }) => hash).sort());
      expect(new Set(received.map(({ receipt }) => receipt)).size).toBe(30);
    });

    it('delivers again, with another receipt, when the visibility lapsed', async () => {
      const queue = await makeQueue();
      const sent = message();
      await queue.send(sent);
      const first = await receive(queue, 1);
      const second = await receive(queue);
      expect(contents(second)).toEqual(sent);
      expect(second.receipt).not.toBe(first.receipt);
    });

    it('hides a message for as long as it is extended', async () => {
      const queue = await makeQueue();
      const sent = message();
      await queue.send(sent);
      const received = await receive(queue, 2);
      await queue.extend(received, LONG_SECONDS);
      expect(await arrivals(queue, 3_000)).toEqual([]);
      await queue.extend(received, 0);
      expect((await receive(queue)).hash).toBe(sent.hash);
    });

    it('shows a released message at once', async () => {
      const queue = await makeQueue();
      const sent = message();
      await queue.send(sent);
      await queue.release(await receive(queue));
      expect(contents(await receive(queue))).toEqual(sent);
    });

    it('shows a message released with delay, or sent with delay, after it', async () => {
      const queue = await makeQueue();
      const [released, delayed, prompt] = [message(), message(), message()];
      await queue.send(released);
      await queue.release(await receive(queue), 3);
      await queue.send(delayed, { delaySeconds: 3 });
      await queue.send(prompt);
      expect(contents(await receive(queue))).toEqual(prompt);
      const later = [await receive(queue), await receive(queue)];
      expect(later.map(({ hash }) => hash).sort()).toEqual([released.hash, delayed.hash].sort());
    });

    it('ignores receipts that are no longer current', async () => {
      const queue = await makeQueue();
      const sent = message();
      await queue.send(sent);
      const stale = await receive(queue, 1);
      const current = await receive(queue);
      await queue.release(stale);
      await queue.extend(stale, 0);
      expect(await arrivals(queue, 500)).toEqual([]);
      await queue.acknowledge(stale);
      await queue.bury(stale, 'not ours any more');
      await queue.extend(current, 0);
      const again = await receive(queue);
      expect(contents(again)).toEqual(sent);
      expect(again.receipt).not.toBe(current.receipt);
    });

    it('ignores calls after the end of a message', async () => {
      const queue = await makeQueue();
      await queue.send(message());
      const received = await receive(queue);
      await queue.acknowledge(received);
      await queue.acknowledge(received);
      await queue.extend(received, 0);
      await queue.release(received);
      await queue.bury(received, 'gone');
      expect(await arrivals(queue, 500)).toEqual([]);
    });

    it('buries a poisonous message and goes on with the others', async () => {
      const queue = await makeQueue();
      const [poison, good] = [message('poison'), message('good')];
      await queue.send(poison);
      const received = await receive(queue, 1);
      await queue.send(good);
      await queue.bury(received, 'failed three times');
      expect((await arrivals(queue, 1_500)).map(contents)).toEqual([good]);
    });

    it('may deliver a hidden message again; the later receipt ends it, and then the earlier one does nothing', async () => {
      const { queue, show } = await make();
      const sent = message();
      await queue.send(sent);
      const earlier = await receive(queue);
      await show(earlier);
      const later = await receive(queue);
      expect([earlier, later].map(contents)).toEqual([sent, sent]);
      expect(later.receipt).not.toBe(earlier.receipt);
      await queue.acknowledge(later);
      for (const [, call] of CALLS) await call(queue, earlier);
      expect(await arrivals(queue, 500)).toEqual([]);
    });

    it('keeps a message that it has delivered twice until one of its receivers is done with it', async () => {
      const { queue, show } = await make();
      const sent = message();
      await queue.send(sent);
      const earlier = await receive(queue);
      await show(earlier);
      const later = await receive(queue);
      await queue.release(earlier);
      await queue.extend(earlier, 0);
      await queue.release(later);
      const again = await receive(queue);
      expect(contents(again)).toEqual(sent);
      await queue.acknowledge(again);
      expect(await arrivals(queue, 500)).toEqual([]);
    });

    it('ignores a receipt that is worth nothing, and delivers its message again in time', async () => {
      const queue = await makeQueue();
      const sent = message();
      await queue.send(sent);
      const received = await receive(queue, 2);
      for (const [, call] of CALLS) await call(queue, { ...received, receipt: 'lost' });
      expect(await arrivals(queue, 500)).toEqual([]);
      expect(contents(await receive(queue))).toEqual(sent);
    });

    it('makes a call of which the answer was lost once, although the receiver repeats it', async () => {
      const queue = await makeQueue();
      const [released, buried] = [message('released'), message('buried')];
      await queue.send(released);
      const first = await receive(queue);
      for (let time = 0; time < 2; time += 1) await queue.extend(first, LONG_SECONDS);
      await queue.release(first, 2);
      await queue.release(first);
      await queue.acknowledge(first);
      await queue.bury(first, 'released before');
      expect(await arrivals(queue, 500)).toEqual([]);
      expect(contents(await receive(queue))).toEqual(released);
      await queue.send(buried);
      const second = await receive(queue);
      for (let time = 0; time < 2; time += 1) await queue.bury(second, 'twice');
      expect(await arrivals(queue, 500)).toEqual([]);
    });

    it('takes the longest pauses that it promises', async () => {
      const queue = await makeQueue();
      await queue.send(message(), { delaySeconds: MAX_DELAY_SECONDS });
      const sent = message();
      await queue.send(sent);
      const received = await receive(queue, MAX_HIDDEN_SECONDS);
      expect(contents(received)).toEqual(sent);
      await queue.extend(received, MAX_HIDDEN_SECONDS);
      await queue.release(received, MAX_DELAY_SECONDS);
      expect(await arrivals(queue, 500)).toEqual([]);
    });

    it('keeps equal messages apart', async () => {
      const queue = await makeQueue();
      const sent = message();
      await queue.send(sent);
      await queue.send(sent);
      const [first, second] = [await receive(queue), await receive(queue)];
      expect([first, second].map(contents)).toEqual([sent, sent]);
      await queue.acknowledge(first);
      await queue.release(second);
      expect(contents(await receive(queue))).toEqual(sent);
    });
  });
}
