import { dynamoBuildSweep } from '#adapters/aws/builds/build-sweep.ts';
import { dynamoBuildTable } from '#adapters/aws/builds/build-table.ts';
import { freshTable } from '#local-aws/create-resources.ts';
import { buildSweepContract } from '#test/contracts/build-sweep.ts';
import { dynamoClient } from './clients.ts';

const client = dynamoClient();

buildSweepContract('dynamodb', async () => {
  const name = await freshTable(client);
  return { table: dynamoBuildTable(client, name), sweep: dynamoBuildSweep(client, name) };
});
