import { dynamoBuildTable } from '#adapters/aws/build-table.ts';
import { buildTableContract } from '#test/contracts/build-table.ts';
import { dynamoClient } from './clients.ts';
import { freshTable } from './create-resources.ts';

const client = dynamoClient();

buildTableContract('dynamodb', async () => dynamoBuildTable(client, await freshTable(client)));
