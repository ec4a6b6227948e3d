import { randomBytes } from 'node:crypto';
import { PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildKey, itemOf } from '#adapters/aws/builds/build-item.ts';
import { dynamoBuildTable } from '#adapters/aws/builds/build-table.ts';
import { MAX_DEFAULTS_LENGTH } from '#adapters/aws/builds/max-defaults-length.ts';
import { orderItem, orderKey } from '#adapters/aws/builds/order-item.ts';
import { waitingTickets } from '#adapters/aws/queue/ledger-state.ts';
import { queueLedger } from '#adapters/aws/queue/queue-ledger.ts';
import { assertTableReady } from '#adapters/aws/readiness.ts';
import { STATISTICS_TABLE } from '#adapters/aws/resources.ts';
import type { RunningBuild } from '#core/build/build.ts';
import { DEFAULT_LIMITS } from '#core/request/build-request.ts';
import { buildRequestParser } from '#core/request/parse-build-request.ts';
import type { RequestHash } from '#core/request/request-hash.ts';
import { maxBodyBytes } from '#http/json-body.ts';
import { createBuildTable, createStatisticsTable } from '#local-aws/resources/create-resources.ts';
import { buildTableContract } from '#test/contracts/build-table.ts';
import { buildTableReadersContract } from '#test/contracts/build-table-readers.ts';
import { at, done, freshHash, queued, running, sampleOrder } from '#test/contracts/sample-builds.ts';
import { FULL_BODIES, fullBody } from '#test/support/full-bodies.ts';
import { dynamoClient } from './clients.ts';
import { meterUnits } from './meter.ts';

const client = dynamoClient();

buildTableContract('dynamodb', async () => dynamoBuildTable(client, await createBuildTable(client)));

for (const [reads, promised] of [
  ['strong', 'strong'],
  ['eventual', 'behind'],
] as const)
  buildTableReadersContract(`dynamodb, ${reads} reads`, async () => {
    const name = await createBuildTable(client);
    return { table: dynamoBuildTable(client, name), reader: dynamoBuildTable(dynamoClient(), name, { reads }), reads: promised };
  });

describe('a build table on DynamoDB', () => {
  let name: string;
  beforeAll(async () => {
    name = await createBuildTable(client);
  });

  /**
   * Returns a client that sends each such command twice, as the SDK does after a lost answer, and returns the answer to
   * the second.
   */
  const sendingTwice = (command: string) => {
    const twice = dynamoClient();
    twice.middlewareStack.add(
      (next, context) => async (args) => {
        if (context['commandName'] === command) await next(args);
        return next(args);
      },
      { step: 'initialize' },
    );
    return dynamoBuildTable(twice, name);
  };
  const waiting = async () => waitingTickets(await queueLedger(client, name).read());
  const parts = async (hash: RequestHash) => {
    const query = { KeyConditionExpression: '#hash = :hash', ExpressionAttributeNames: { '#hash': 'hash' } };
    const { Items = [] } = await client.send(
      new QueryCommand({ TableName: name, ...query, ExpressionAttributeValues: { ':hash': { S: hash } } }),
    );
    return Items;
  };

  it('has one winner of 100 equal claims from ten clients, with one order and one waiting ticket', async () => {
    const hash = freshHash();
    const before = await waiting();
    const tables = Array.from({ length: 10 }, () => dynamoBuildTable(dynamoClient(), name));
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, i) => (tables[i % 10] ?? tables[0])?.claim(queued(hash), sampleOrder(hash, [`package-${i}`]), at(0))),
    );
    const [winner, ...others] = answers.filter((answer) => answer?.won);
    expect(others).toEqual([]);
    for (const answer of answers) expect(answer?.current).toEqual(winner?.current);
    expect(await waiting()).toEqual([...before, winner?.current.ticket]);
    expect((await parts(hash)).map(({ part }) => part?.S).sort()).toEqual(['build', `order#${winner?.current.ticket}`]);
  });

  it('recognises its own claim and transition when the SDK sends them twice', async () => {
    const hash = freshHash();
    const claim = await sendingTwice('PutItemCommand').claim(queued(hash), sampleOrder(hash), at(0));
    expect(claim).toMatchObject({ won: true, current: { state: 'queued' } });
    const moved = await sendingTwice('UpdateItemCommand').transition(claim.current, running(claim.current, 'a'));
    expect(moved).toMatchObject({ moved: true, current: { state: 'building', lease: { owner: 'a' } } });
    expect(await waiting()).not.toContain(claim.current.ticket);
  });

  it('finds the order of the last claim among more than one page of orders of earlier claims', async () => {
    const hash = freshHash();
    const table = dynamoBuildTable(client, name);
    const { current } = await table.claim(queued(hash), sampleOrder(hash), at(0));
    for (let ticket = 10; ticket < 14; ticket += 1)
      await client.send(new PutItemCommand({ TableName: name, Item: { ...orderKey(hash, ticket), body: { B: randomBytes(390_000) } } }));
    // This key sorts last, since keys are in the order of text.
    const Item = { ...buildKey(hash), ...itemOf({ ...current, ticket: 99 }) };
    await client.send(new PutItemCommand({ TableName: name, Item }));
    const order = sampleOrder(hash, ['anew']);
    await client.send(new PutItemCommand({ TableName: name, Item: orderItem(99, order, hash, at(0)) }));
    for (const reads of ['strong', 'eventual'] as const) expect(await dynamoBuildTable(client, name, { reads }).order(hash)).toEqual(order);
  });

  it.each(Object.keys(FULL_BODIES))('stores the largest accepted order, full of %s', async (what) => {
    const hash = freshHash();
    const body = fullBody(what, maxBodyBytes(MAX_DEFAULTS_LENGTH), MAX_DEFAULTS_LENGTH);
    const limits = { ...DEFAULT_LIMITS, maxDefaultsLength: MAX_DEFAULTS_LENGTH };
    const order = { ...sampleOrder(hash), request: buildRequestParser(limits)(JSON.parse(body)) };
    const table = dynamoBuildTable(client, name);
    expect((await table.claim(queued(hash), order, at(0))).won).toBe(true);
    expect(await table.order(hash)).toEqual(order);
  });

  it('reads the latest row at double cost, although it usually reads eventually consistent rows', async () => {
    const reader = dynamoClient();
    const units = meterUnits(reader);
    const table = dynamoBuildTable(reader, name, { reads: 'eventual' });
    const { current } = await dynamoBuildTable(client, name).claim(queued(freshHash()), sampleOrder(freshHash()), at(0));
    expect(await table.get(current.hash)).toEqual(current);
    expect(units.take()).toEqual({ reads: 0.5, writes: 0 });
    expect(await table.get(current.hash, { isLatest: true })).toEqual(current);
    expect(units.take()).toEqual({ reads: 1, writes: 0 });
  });

  it('keeps a row below a kilobyte, and lets DynamoDB delete expired items after a week', async () => {
    const hash = freshHash();
    const table = dynamoBuildTable(client, name);
    const { current } = await table.claim({ ...queued(hash), correlationId: 'c'.repeat(64) }, sampleOrder(hash), at(0));
    const attempt = { ...running(current, '0'.repeat(36)), correlationId: 'c'.repeat(64), step: 'download_imagebuilder' as const };
    const taken = await table.transition(current, attempt);
    const sizeOf = async () => {
      const row = (await parts(hash)).find(({ part }) => part?.S === 'build');
      return Object.entries(row ?? {}).reduce((sum, [key, value]) => sum + key.length + String(Object.values(value)[0]).length, 0);
    };
    expect(await sizeOf()).toBeLessThan(1_000);
    await table.transition(taken.current as RunningBuild, done(attempt, 100));
    expect(await sizeOf()).toBeLessThan(1_000);
    const row = (await parts(hash)).find(({ part }) => part?.S === 'build');
    expect(Number(row?.['ttl']?.N)).toBe(at(100).getTime() / 1000 + 7 * 86_400);
  });

  it('fails at the start with the name of a missing table', async () => {
    await assertTableReady(client, name, { withIndex: true });
    await expect(assertTableReady(client, 'asu-no-such-table')).rejects.toThrow(/DynamoDB table asu-no-such-table cannot be used/);
    const statistics = await createStatisticsTable(client);
    await assertTableReady(client, statistics, { definition: STATISTICS_TABLE });
    await expect(assertTableReady(client, statistics)).rejects.toThrow(`DynamoDB table ${statistics} cannot be used`);
  });
});
