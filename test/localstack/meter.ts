import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { SQSClient } from '@aws-sdk/client-sqs';

export interface Units {
  readonly reads: number;
  readonly writes: number;
}

interface Consumed {
  readonly CapacityUnits?: number;
}

const WRITES = new Set(['PutItemCommand', 'UpdateItemCommand', 'DeleteItemCommand', 'TransactWriteItemsCommand', 'BatchWriteItemCommand']);

/** Counts the capacity units of a client's calls, including those of indexes, as DynamoDB reports them. */
export function meterUnits(client: DynamoDBClient): { take(): Units } {
  let units = { reads: 0, writes: 0 };
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const name = String(context['commandName']);
      Object.assign(args.input, { ReturnConsumedCapacity: 'INDEXES' });
      const count = (consumed: Consumed | Consumed[] | undefined) => {
        const cost = [consumed ?? []].flat().reduce((sum, { CapacityUnits = 0 }) => sum + CapacityUnits, 0);
        units[WRITES.has(name) ? 'writes' : 'reads'] += cost;
      };
      try {
        const result = await next(args);
        count((result.output as { ConsumedCapacity?: Consumed | Consumed[] }).ConsumedCapacity);
        return result;
      } catch (error) {
        // A failed conditional write costs as much as a write, but its answer does not include the cost.
        if (error instanceof Error && error.name === 'ConditionalCheckFailedException') count({ CapacityUnits: 1 });
        throw error;
      }
    },
    { step: 'initialize', priority: 'low' },
  );
  return {
    take: () => {
      const taken = units;
      units = { reads: 0, writes: 0 };
      return taken;
    },
  };
}

/** Counts the calls of a client by name. */
export function meterCalls(client: SQSClient): { take(): Record<string, number> } {
  let calls: Record<string, number> = {};
  client.middlewareStack.add(
    (next, context) => (args) => {
      const name = String(context['commandName']).replace(/Command$/, '');
      calls[name] = (calls[name] ?? 0) + 1;
      return next(args);
    },
    { step: 'initialize' },
  );
  return {
    take: () => {
      const taken = calls;
      calls = {};
      return taken;
    },
  };
}
