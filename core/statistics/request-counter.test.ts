import { describe, expect, it } from 'vitest';
import type { RequestCounts } from './counts.ts';
import { PartlyCountedError } from './partly-counted-error.ts';
import { requestCounter } from './request-counter.ts';

function counterWith(write: (counts: RequestCounts) => Promise<void> = async () => undefined) {
  const written: RequestCounts[] = [];
  const statistics = {
    count: async (counts: RequestCounts) => {
      await write(counts);
      written.push(counts);
    },
  };
  return { written, counter: requestCounter({ statistics, now: () => new Date(0) }) };
}

describe('requestCounter', () => {
  it('writes sums, and writes nothing when there is nothing to count', async () => {
    const { written, counter } = counterWith();
    await counter.flush();
    for (const outcome of ['hit', 'hit', 'joined', 'new'] as const) counter.add(outcome, 'owut/1', '24.10.2 x86/64 generic');
    counter.add('rejected', 'owut/1');
    await counter.flush();
    await counter.flush();
    expect(written).toEqual([
      {
        at: '1970-01-01T00:00:00.000Z',
        hits: 2,
        joined: 1,
        rejected: 1,
        clients: { 'owut/1': 4, 'other/0': 1 },
        subjects: { '24.10.2 x86/64 generic': { requests: 4, hits: 2 } },
      },
    ]);
  });

  it('keeps counts that could not be written and adds those that came meanwhile', async () => {
    let isDown = true;
    const { written, counter } = counterWith(async () => {
      counter.add('joined', 'auc/0.3.2', 'a b c');
      if (isDown) throw new Error('database is locked');
    });
    counter.add('hit', 'owut/1', 'a b c');
    await expect(counter.flush()).rejects.toThrow('locked');
    isDown = false;
    await counter.flush();
    expect(written).toMatchObject([
      { hits: 1, joined: 1, clients: { 'owut/1': 1, 'auc/0.3.2': 1 }, subjects: { 'a b c': { requests: 2, hits: 1 } } },
    ]);
  });

  it('keeps the rest of counts that were partly written, even if the rest has no client', async () => {
    const told: RequestCounts[] = [];
    const { counter } = counterWith(async (counts) => {
      told.push(counts);
      const left = { ...counts, hits: 0, clients: {}, subjects: { 'd e f': { requests: 1, hits: 0 } } };
      if (told.length === 1) throw new PartlyCountedError(left);
    });
    counter.add('hit', 'owut/1', 'a b c');
    counter.add('joined', 'owut/1', 'd e f');
    await expect(counter.flush()).rejects.toThrow('only a part');
    await counter.flush();
    await counter.flush();
    expect(told.slice(1)).toMatchObject([{ hits: 0, joined: 1, clients: {}, subjects: { 'd e f': { requests: 1, hits: 0 } } }]);
  });

  it('counts a limited number of clients separately, and only names that look like a client', async () => {
    const { written, counter } = counterWith();
    for (let i = 0; i < 1_000; i++) counter.add('hit', `client${i}/1`);
    for (const name of ['<b>', 'a b/1', '', 'x'.repeat(100), 'me@example.com', '__proto__', 'constructor/1']) counter.add('hit', name);
    counter.add('hit', 'client0/1');
    await counter.flush();
    const clients = written[0]?.clients ?? {};
    expect(Object.keys(clients)).toHaveLength(201);
    expect(clients).toMatchObject({ 'client0/1': 2, 'other/0': 807 });
    expect(Object.values(clients).reduce((sum, n) => sum + n, 0)).toBe(1_008);
    counter.add('hit', 'another/1');
    await counter.flush();
    expect(written[1]?.clients).toEqual({ 'other/0': 1 });
  });
});
