import { describe, expect, it } from 'vitest';
import { dynamoBuildSweep } from '#adapters/aws/builds/build-sweep.ts';
import { dynamoBuildTable } from '#adapters/aws/builds/build-table.ts';
import { dynamoOutdatedInputs } from '#adapters/aws/builds/outdated-inputs.ts';
import { createBuildTable } from '#local-aws/resources/create-resources.ts';
import { at, freshHash } from '#test/contracts/sample-builds.ts';
import { dynamoClient } from './clients.ts';

describe('notes on outdated inputs in DynamoDB', () => {
  const client = dynamoClient();
  const table = createBuildTable(client);
  const outdated = async () => dynamoOutdatedInputs(client, await table);

  it('are seen by every process, with the latest time', async () => {
    const [inputs, others] = [freshHash(), freshHash()];
    const [runner, server] = await Promise.all([outdated(), outdated()]);
    expect(await server.foundAt(inputs)).toBeUndefined();
    await runner.note(inputs, at(2));
    expect(await server.foundAt(inputs)).toEqual(at(2));
    await Promise.all([runner.note(inputs, at(1)), runner.note(inputs, at(3))]);
    expect(await server.foundAt(inputs)).toEqual(at(3));
    expect(await server.foundAt(others)).toBeUndefined();
  });

  it('are no builds: neither a reader nor the sweeper takes one for a row', async () => {
    const inputs = freshHash();
    await (await outdated()).note(inputs, at(0));
    expect(await dynamoBuildTable(client, await table).get(inputs)).toBeUndefined();
    const sweep = dynamoBuildSweep(client, await table);
    const found = await Promise.all([sweep.unsent(at(99), 9), sweep.stale(at(99), 9), sweep.leased(9), sweep.expired(at(99), 9)]);
    expect(found).toEqual([[], [], [], []]);
  });
});
