import { BUILD_TABLE } from '#adapters/aws/resources.ts';
import { isProduction } from './stage.ts';

const TYPES = { S: 'string', N: 'number', B: 'binary' } as const;
const { hashKey, rangeKey, keyTypes, ttlAttribute, sweepIndex } = BUILD_TABLE;

/** Builds, their orders and the queue's ledger; on demand, with point-in-time recovery, as SST makes every table. */
export const table = new sst.aws.Dynamo('Builds', {
  fields: Object.fromEntries(Object.entries(keyTypes).map(([name, type]) => [name, TYPES[type]])),
  primaryIndex: { hashKey, rangeKey },
  globalIndexes: {
    [sweepIndex.name]: { hashKey: sweepIndex.hashKey, rangeKey: sweepIndex.rangeKey, projection: [...sweepIndex.projection] },
  },
  ttl: ttlAttribute,
  deletionProtection: isProduction,
});
