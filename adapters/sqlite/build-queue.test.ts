import { describe, expect, it } from 'vitest';
import { buildQueueContract } from '#test/contracts/build-queue.ts';
import { freshHash } from '#test/contracts/sample-builds.ts';
import { HOUR, wallClock } from '#test/support/wall-clock.ts';
import { sqliteBuildQueue } from './build-queue.ts';
import { openSqlite } from './open-sqlite.ts';
import { freshFile, startProcesses } from './testing/processes.ts';

buildQueueContract('sqlite', () => {
  const db = openSqlite(':memory:');
  const show = db.prepare('UPDATE messages SET visible_at = 0 WHERE receipt = ?');
  return { queue: sqliteBuildQueue(db), show: ({ receipt }) => show.run(receipt) };
});

const never = new AbortController().signal;

describe('a queue in SQLite', () => {
  it('is first in, first out; a released message keeps its place', async () => {
    const queue = sqliteBuildQueue(openSqlite(':memory:'));
    const hashes = [freshHash(), freshHash(), freshHash()];
    for (const hash of hashes) await queue.send({ hash, correlationId: 'order' });
    const first = await queue.receive({ visibilitySeconds: 60, signal: never });
    expect(first?.hash).toBe(hashes[0]);
    if (first) await queue.release(first);
    const order = [];
    for (const _ of hashes) order.push((await queue.receive({ visibilitySeconds: 60, signal: never }))?.hash);
    expect(order).toEqual(hashes);
  });

  it('wakes a receiver of another queue on the same handle at once, before its next poll', async () => {
    const db = openSqlite(':memory:');
    const receiver = sqliteBuildQueue(db, { pollMs: 2 ** 31 - 1 });
    const waiting = receiver.receive({ visibilitySeconds: 60, signal: never });
    const hash = freshHash();
    await sqliteBuildQueue(db).send({ hash, correlationId: 'wake' });
    expect((await waiting)?.hash).toBe(hash);
  });

  it('keeps dead letters with their reason', async () => {
    const db = openSqlite(':memory:');
    const queue = sqliteBuildQueue(db);
    const hash = freshHash();
    await queue.send({ hash, correlationId: 'dead' });
    const received = await queue.receive({ visibilitySeconds: 60, signal: never });
    if (received) await queue.bury(received, 'failed three times');
    expect(db.prepare('SELECT hash, correlation_id, deliveries, reason FROM dead_letters').all()).toEqual([
      { hash, correlation_id: 'dead', deliveries: 1, reason: 'failed three times' },
    ]);
  });

  it.each([
    ['back', -HOUR],
    ['forward', HOUR],
  ])('keeps every delay unchanged when the clock is set an hour %s', async (_, seconds) => {
    const wall = wallClock();
    try {
      const clock = { boot: 'this', time: 5_000_000 };
      const queue = sqliteBuildQueue(openSqlite(':memory:'), { pollMs: 5, clock: { boot: clock.boot, milliseconds: () => clock.time } });
      const next = async () => (await queue.receive({ visibilitySeconds: 60, signal: AbortSignal.timeout(50) }))?.hash;
      const [prompt, delayed, held] = [freshHash(), freshHash(), freshHash()];
      await queue.send({ hash: held, correlationId: 'held' });
      expect(await next()).toBe(held);
      await queue.send({ hash: prompt, correlationId: 'prompt' });
      await queue.send({ hash: delayed, correlationId: 'delayed' }, { delaySeconds: 30 });
      wall.step(seconds);
      expect([await next(), await next()]).toEqual([prompt, undefined]);
      clock.time += 29_999;
      expect(await next()).toBeUndefined();
      clock.time += 1;
      expect([await next(), await next()]).toEqual([delayed, undefined]);
      clock.time += 30_000;
      expect([await next(), await next(), await next()]).toEqual([held, prompt, undefined]);
    } finally {
      wall.restore();
    }
  });

  it('makes all messages visible after the next start of the machine, with which its clock starts again', async () => {
    const db = openSqlite(':memory:');
    const before = sqliteBuildQueue(db, { clock: { boot: 'before', milliseconds: () => 9e9 } });
    const [held, delayed] = [freshHash(), freshHash()];
    await before.send({ hash: held, correlationId: 'held' });
    const received = await before.receive({ visibilitySeconds: 3_600, signal: never });
    await before.send({ hash: delayed, correlationId: 'delayed' }, { delaySeconds: 3_600 });
    const after = sqliteBuildQueue(db, { clock: { boot: 'after', milliseconds: () => 0 } });
    const again = [];
    for (const _ of [held, delayed]) again.push((await after.receive({ visibilitySeconds: 60, signal: never }))?.hash);
    expect(again).toEqual([held, delayed]);
    if (received) await before.acknowledge(received);
    expect(await after.receive({ visibilitySeconds: 60, signal: AbortSignal.timeout(50) })).toBeUndefined();
  });

  it('delivers each message to one of four processes', async () => {
    const file = await freshFile();
    const workers = await startProcesses(file, 4);
    const hashes = Array.from({ length: 60 }, freshHash);
    const received = workers.map((worker) => worker.do({ kind: 'drain', quietMs: 2_000 }));
    const db = openSqlite(file);
    const queue = sqliteBuildQueue(db);
    for (const hash of hashes) await queue.send({ hash, correlationId: 'many' });
    expect((await Promise.all(received)).flat().sort()).toEqual([...hashes].sort());
    db.close();
  });

  it('delivers again what a killed process had received, and keeps what a killed process had sent', async () => {
    const file = await freshFile();
    const [sender, receiver] = await startProcesses(file, 2);
    const hashes = [freshHash(), freshHash()];
    await sender?.do({ kind: 'send', hashes });
    await sender?.kill();
    expect(await receiver?.do({ kind: 'receive', count: 2, visibilitySeconds: 1 })).toEqual(hashes);
    await receiver?.kill();

    const db = openSqlite(file);
    const queue = sqliteBuildQueue(db);
    const again = [];
    for (const _ of hashes) again.push((await queue.receive({ visibilitySeconds: 60, signal: never }))?.hash);
    expect(again).toEqual(hashes);
    db.close();
  });
});
