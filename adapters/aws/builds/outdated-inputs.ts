import { ConditionalCheckFailedException, type DynamoDBClient, GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import type { OutdatedInputs } from '#core/build/ports.ts';
import { withServiceError } from '../clients/with-service-error.ts';
import { BUILD_TABLE } from '../resources.ts';
import type { Item } from './build-item.ts';

/** How long a note is kept. The catalogue reads every target again far sooner. */
const TTL_SECONDS = 86_400;

/** The inputs are a digest, as request hashes are, and no build has that digest for its own. */
const keyOf = (inputs: string): Item => ({ [BUILD_TABLE.hashKey]: { S: inputs }, [BUILD_TABLE.rangeKey]: { S: 'outdated' } });

/**
 * Returns the notes on outdated inputs, in the table of builds: the role of runners may update its items and write no
 * record of the catalogue (docs/decisions/0063).
 */
export function dynamoOutdatedInputs(client: DynamoDBClient, table: string): OutdatedInputs {
  const call = <T>(promise: Promise<T>) => withServiceError('build table', promise);
  return {
    async note(inputs, foundAt) {
      const update = new UpdateItemCommand({
        TableName: table,
        Key: keyOf(inputs),
        UpdateExpression: 'SET #foundAt = :foundAt, #ttl = :ttl',
        ConditionExpression: 'attribute_not_exists(#foundAt) OR #foundAt < :foundAt',
        ExpressionAttributeNames: { '#foundAt': 'foundAt', '#ttl': BUILD_TABLE.ttlAttribute },
        ExpressionAttributeValues: {
          ':foundAt': { S: foundAt.toISOString() },
          ':ttl': { N: String(Math.ceil(foundAt.getTime() / 1000) + TTL_SECONDS) },
        },
      });
      await call(client.send(update)).catch((error) => {
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
      });
    },

    async foundAt(inputs) {
      const { Item } = await call(client.send(new GetItemCommand({ TableName: table, Key: keyOf(inputs), ConsistentRead: true })));
      const foundAt = Item?.['foundAt']?.S;
      return foundAt === undefined ? undefined : new Date(foundAt);
    },
  };
}
