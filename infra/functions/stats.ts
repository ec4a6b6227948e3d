import { lambda } from '../lambda.ts';
import { listBucket, putObjects, queryBuilds, readBuilds, readObjects, readStatistics } from '../permissions.ts';
import { bucketName, statisticsName, tableName } from '../resource-names.ts';

/**
 * The statistics function. It reads and writes the catalogue's records, since the overview page shows the catalogue.
 */
export const stats = lambda('Stats', 'stats', {
  environment: { ...bucketName, ...tableName, ...statisticsName },
  permissions: [readBuilds, queryBuilds, readStatistics, listBucket, readObjects('records/'), putObjects('records/')],
});
