import { lambda } from '../lambda.ts';
import { listBucket, putObjects, readBuilds, readObjects } from '../permissions.ts';
import { bucketName, tableName } from '../resource-names.ts';

/**
 * The status function, which also answers for files that the bucket does not have. It writes only results that a runner
 * failed to publish.
 */
export const status = lambda('Status', 'status', {
  memory: '512 MB',
  environment: { ...bucketName, ...tableName },
  permissions: [readBuilds, listBucket, readObjects('records/', 'api/v1/build/', 'logs/'), putObjects('api/v1/build/')],
});
