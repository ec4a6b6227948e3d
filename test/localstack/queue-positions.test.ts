import { describe, expect, it } from 'vitest';
import { dynamoBuildTable } from '#adapters/aws/builds/build-table.ts';
import { waitingTickets } from '#adapters/aws/queue/ledger-state.ts';
import { type QueueLedger, queueLedger } from '#adapters/aws/queue/queue-ledger.ts';
import { dynamoQueuePositions } from '#adapters/aws/queue/queue-positions.ts';
import { reconcileLedger } from '#adapters/aws/queue/reconcile-ledger.ts';
import { createBuildTable } from '#local-aws/resources/create-resources.ts';
import { claimed } from '#test/contracts/drive-build.ts';
import { queuePositionsContract } from '#test/contracts/queue-positions.ts';
import { dynamoClient } from './clients.ts';

const client = dynamoClient();

queuePositionsContract('dynamodb', async () => {
  const name = await createBuildTable(client);
  return { table: dynamoBuildTable(client, name), positions: dynamoQueuePositions(client, name) };
});

describe('the ledger of the queue on DynamoDB', () => {
  it('stays small while many builds come and go, even if some never go', async () => {
    const ledger = queueLedger(client, await createBuildTable(client));
    const stuck = [3, 40, 77];
    for (let ticket = 1; ticket <= 120; ticket += 1) {
      await ledger.issue();
      if (!stuck.includes(ticket)) await ledger.left([ticket]);
    }
    const state = await ledger.read();
    expect(waitingTickets(state)).toEqual(stuck);
    expect(state.left.size + state.back.size).toBeLessThan(30);
  });

  it('loses no ticket when many processes write at once', async () => {
    const name = await createBuildTable(client);
    const ledgers = Array.from({ length: 4 }, () => queueLedger(client, name));
    const work = async (ledger: QueueLedger, keeps: boolean) => {
      const kept: number[] = [];
      for (let i = 0; i < 40; i += 1) {
        const ticket = await ledger.issue();
        if (keeps && i % 10 === 0) kept.push(ticket);
        else await ledger.left([ticket]);
      }
      return kept;
    };
    const kept = (await Promise.all(ledgers.map((ledger, i) => work(ledger, i < 2)))).flat();
    expect(waitingTickets(await queueLedger(client, name).read())).toEqual(kept.sort((a, b) => a - b));
  });

  it('is corrected after a crash between row and ledger, once the difference has lasted', async () => {
    const name = await createBuildTable(client);
    const table = dynamoBuildTable(client, name);
    const ledger = queueLedger(client, name);
    let clock = 0;
    const settle = () => reconcileLedger(client, name, () => new Date(clock));
    const build = await claimed(table);
    const forgotten = await claimed(table);
    await ledger.left([forgotten.ticket ?? 0]);
    const ghost = await ledger.issue();
    expect(waitingTickets(await ledger.read())).toEqual([build.ticket, ghost]);

    expect(await settle()).toEqual({ departed: 0, missed: 0 });
    clock += 5_000;
    expect(await settle()).toEqual({ departed: 0, missed: 0 });
    // Setting the clock back by an hour must not delay the correction by an hour.
    clock -= 3_600_000;
    expect(await settle()).toEqual({ departed: 0, missed: 0 });
    clock += 30_000;
    expect(await settle()).toEqual({ departed: 1, missed: 1 });
    expect(waitingTickets(await ledger.read({ isStrong: true }))).toEqual([build.ticket, forgotten.ticket]);
    clock += 30_000;
    expect(await settle()).toEqual({ departed: 0, missed: 0 });
  });
});
