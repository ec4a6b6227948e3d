import { lambda } from './lambda.ts';
import {
  listBucket,
  putObjects,
  queryBuilds,
  readBuilds,
  readManyBuilds,
  readObjects,
  removeObjects,
  sendMessages,
  sumStatistics,
  writeBuilds,
} from './permissions.ts';
import { bucketName, queueUrls, statisticsName, tableName } from './resource-names.ts';

export const maintenance = lambda('Maintenance', 'maintenance', {
  timeout: '2 minutes',
  // The next run starts within a minute.
  retries: 0,
  memory: '256 MB',
  environment: { ...bucketName, ...tableName, ...statisticsName, ...queueUrls },
  permissions: [
    readBuilds,
    writeBuilds,
    queryBuilds,
    readManyBuilds,
    sumStatistics,
    sendMessages,
    listBucket,
    readObjects('records/', 'json/v1/', 'api/v1/build/'),
    putObjects('records/', 'json/v1/'),
    removeObjects('store/', 'logs/', 'api/v1/build/'),
  ],
});

/**
 * The schedule: once a minute, the shortest interval that the scheduler has. While builds wait or run, each run sweeps
 * twice. A late run may overlap the next one, which is safe.
 */
export const schedule = new sst.aws.CronV2('MaintenanceSchedule', { schedule: 'rate(1 minute)', function: maintenance.arn });
