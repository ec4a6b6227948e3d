import { BUILD_TABLE, STATISTICS_TABLE } from '#adapters/aws/resources.ts';
import { isProduction } from './stage.ts';

const TYPES = { S: 'string', N: 'number', B: 'binary' } as const;

/** Makes a table that is billed on demand and has point-in-time recovery, as every table of SST. */
const table = (name: string, definition: typeof BUILD_TABLE | typeof STATISTICS_TABLE) =>
  new sst.aws.Dynamo(name, {
    fields: Object.fromEntries(Object.entries(definition.keyTypes).map(([field, type]) => [field, TYPES[type]])),
    primaryIndex: { hashKey: definition.hashKey, rangeKey: definition.rangeKey },
    ...('sweepIndex' in definition && {
      globalIndexes: {
        [definition.sweepIndex.name]: {
          hashKey: definition.sweepIndex.hashKey,
          rangeKey: definition.sweepIndex.rangeKey,
          projection: [...definition.sweepIndex.projection],
        },
      },
    }),
    ttl: definition.ttlAttribute,
    deletionProtection: isProduction,
  });

/** The table of builds, their orders and the queue's ledger. */
export const builds = table('Builds', BUILD_TABLE);

/** The table of statistics. */
export const statistics = table('Statistics', STATISTICS_TABLE);
