import { dynamoBuildSweep } from '#adapters/aws/builds/build-sweep.ts';
import { dynamoBuildTable } from '#adapters/aws/builds/build-table.ts';
import { createBuildTable } from '#local-aws/resources/create-resources.ts';
import { buildSweepContract } from '#test/contracts/build-sweep.ts';
import { dynamoClient } from './clients.ts';

const client = dynamoClient();

buildSweepContract('dynamodb', async () => {
  const name = await createBuildTable(client);
  return { table: dynamoBuildTable(client, name), sweep: dynamoBuildSweep(client, name) };
});
