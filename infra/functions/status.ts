import { lambda } from '../lambda.ts';
import { listBucket, putObjects, readBuilds, readObjects } from '../permissions.ts';
import { bucketName, tableName } from '../resource-names.ts';

/** Puts nothing but a result that a runner could not publish any more. */
export const status = lambda('Status', 'status', {
  memory: '512 MB',
  environment: { ...bucketName, ...tableName },
  permissions: [readBuilds, listBucket, readObjects('records/', 'api/v1/build/', 'logs/'), putObjects('api/v1/build/')],
});
