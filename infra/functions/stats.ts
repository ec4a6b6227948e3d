import { lambda } from '../lambda.ts';
import { listBucket, putObjects, queryBuilds, readBuilds, readObjects, readStatistics } from '../permissions.ts';
import { bucketName, statisticsName, tableName } from '../resource-names.ts';

/** Records are the catalogue's: the overview page shows what there is. */
export const stats = lambda('Stats', 'stats', {
  environment: { ...bucketName, ...tableName, ...statisticsName },
  permissions: [readBuilds, queryBuilds, readStatistics, listBucket, readObjects('records/'), putObjects('records/')],
});
