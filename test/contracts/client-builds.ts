import { beforeEach, describe, expect, it } from 'vitest';
import type { BuildTable, ClientBuilds } from '#core/build/ports.ts';
import { moved } from './drive-build.ts';
import { at, done, expiring, failed, freshHash, queued, requeued, running, sampleOrder } from './sample-builds.ts';

/** The contract of every `ClientBuilds` (core/build/ports.ts), over the table beside it; each test gets an empty one. */
export function clientBuildsContract(make: () => Promise<{ table: BuildTable; clients: ClientBuilds }>): void {
  describe('ClientBuilds', () => {
    let table: BuildTable;
    let clients: ClientBuilds;
    beforeEach(async () => {
      ({ table, clients } = await make());
    });

    const claim = async (client?: string) => {
      const build = queued(freshHash());
      return (await table.claim(build, sampleOrder(build.hash), at(0), { client })).current;
    };

    it('counts waiting and running builds by client', async () => {
      const first = await claim('a');
      await claim('a');
      await claim('b');
      await claim();
      expect([await clients.pending('a'), await clients.pending('b'), await clients.pending('c')]).toEqual([2, 1, 0]);
      expect([await clients.othersWaiting('a'), await clients.othersWaiting('b'), await clients.othersWaiting('c')]).toEqual([2, 3, 4]);
      await moved(table, first, running(first, 'r'));
      expect([await clients.pending('a'), await clients.othersWaiting('a')]).toEqual([2, 2]);
      expect([await clients.othersWaiting('b'), await clients.othersWaiting('c')]).toEqual([2, 3]);
    });

    it('keeps the client of a build that returns to the queue, and forgets it when the build ends', async () => {
      const taken = await claim('a');
      const building = await moved(table, taken, running(taken, 'r'));
      const again = await moved(table, building, requeued(building, 1));
      expect(await clients.pending('a')).toBe(1);
      const last = await moved(table, again, running(again, 's'));
      const ended = await moved(table, last, done(running(last, 's')));
      expect(await clients.pending('a')).toBe(0);
      const leaving = await moved(table, ended, expiring(ended, 'sweep'));
      expect(await clients.pending('a')).toBe(0);
      // A build that is begun again counts for the new client.
      const anew = queued(leaving.hash);
      await table.claim(anew, sampleOrder(anew.hash), at(0), { client: 'b', over: leaving });
      expect([await clients.pending('a'), await clients.pending('b')]).toEqual([0, 1]);
    });

    it('forgets a failed build too, and does not count a lost claim', async () => {
      const taken = await claim('a');
      await table.claim(queued(taken.hash), sampleOrder(taken.hash), at(0), { client: 'b', over: taken });
      expect([await clients.pending('a'), await clients.pending('b')]).toEqual([1, 0]);
      const building = await moved(table, taken, running(taken, 'r'));
      await moved(table, building, failed(building, true));
      expect(await clients.pending('a')).toBe(0);
    });

    it('counts no more than the share of each client, and all builds without one', async () => {
      expect(await clients.waitingWithin(3)).toBe(0);
      for (const client of ['a', 'a', 'a', 'a', 'a', 'b', undefined, undefined, undefined, undefined]) await claim(client);
      expect([await clients.waitingWithin(3), await clients.waitingWithin(1), await clients.waitingWithin(100)]).toEqual([8, 6, 10]);
    });
  });
}
