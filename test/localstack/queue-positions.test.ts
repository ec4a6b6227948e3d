import { dynamoBuildTable } from '#adapters/aws/build-table.ts';
import { dynamoQueuePositions } from '#adapters/aws/queue-positions.ts';
import { queuePositionsContract } from '#test/contracts/queue-positions.ts';
import { dynamoClient } from './clients.ts';
import { freshTable } from './create-resources.ts';

const client = dynamoClient();

queuePositionsContract('dynamodb', async () => {
  const name = await freshTable(client);
  return { table: dynamoBuildTable(client, name), positions: dynamoQueuePositions(client, name) };
});
