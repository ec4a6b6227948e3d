import { lambda } from '../lambda.ts';
import {
  countStatistics,
  listBucket,
  putObjects,
  readBuilds,
  readObjects,
  removeObjects,
  sendMessages,
  writeBuilds,
} from '../permissions.ts';
import { bucketName, queueUrls, statisticsName, tableName } from '../resource-names.ts';

export const buildSubmit = lambda('BuildSubmit', 'build-submit', {
  environment: { ...bucketName, ...tableName, ...statisticsName, ...queueUrls },
  permissions: [
    readBuilds,
    writeBuilds,
    countStatistics,
    sendMessages,
    listBucket,
    readObjects('records/', 'api/v1/build/', 'logs/'),
    putObjects('records/', 'api/v1/build/'),
    // A request for an expired build removes its old documents.
    removeObjects('api/v1/build/', 'logs/'),
  ],
});
