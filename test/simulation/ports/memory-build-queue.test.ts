import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { BuildQueue } from '#core/build/ports.ts';
import { buildQueueContract } from '#test/contracts/build-queue.ts';
import { freshHash } from '#test/contracts/sample-builds.ts';
import { randomOf } from '../random.ts';
import { memoryBuildQueue } from './memory-build-queue.ts';

const LOOK_MS = 5;
const never = new AbortController().signal;

/** Returns the queue with a `receive` that waits, since that in memory looks once. */
const waiting = (queue: BuildQueue): BuildQueue => ({
  ...queue,
  receive: async (options) => {
    while (!options.signal.aborted) {
      const received = await queue.receive(options);
      if (received !== undefined) return received;
      await sleep(LOOK_MS);
    }
    return undefined;
  },
});

buildQueueContract('in memory', () => {
  let twice = 0;
  const manners = { twice: () => twice, lostReceipt: () => 0 };
  const queue = memoryBuildQueue(() => performance.now(), randomOf(1, 'queue'), manners);
  const show = () => {
    twice = 1;
  };
  return { queue: waiting(queue), show };
});

describe('a queue in memory', () => {
  it('loses receipts: their message is delivered again, whatever their receiver does', async () => {
    let time = 0;
    const queue = memoryBuildQueue(() => time, randomOf(1, 'queue'), { twice: () => 0, lostReceipt: () => 1 });
    await queue.send({ hash: freshHash(), correlationId: 'test' });
    const received = await queue.receive({ visibilitySeconds: 60, signal: never });
    if (received !== undefined) await queue.acknowledge(received);
    expect(await queue.receive({ visibilitySeconds: 60, signal: never })).toBeUndefined();
    time += 60_000;
    expect(await queue.receive({ visibilitySeconds: 60, signal: never })).toMatchObject({ hash: received?.hash });
  });

  it('refuses what SQS refuses: a longer delay than it promises', async () => {
    const queue = memoryBuildQueue(() => 0, randomOf(1, 'queue'), { twice: () => 0, lostReceipt: () => 0 });
    await expect(queue.send({ hash: freshHash(), correlationId: 'test' }, { delaySeconds: 901 })).rejects.toThrow(RangeError);
  });
});
