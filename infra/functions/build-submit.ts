import { lambda } from '../lambda.ts';
import { listBucket, putObjects, readBuilds, readObjects, sendMessages, writeBuilds } from '../permissions.ts';
import { bucketName, queueUrls, tableName } from '../resource-names.ts';

export const buildSubmit = lambda('BuildSubmit', 'build-submit', {
  environment: { ...bucketName, ...tableName, ...queueUrls },
  permissions: [
    readBuilds,
    writeBuilds,
    sendMessages,
    listBucket,
    readObjects('records/', 'api/v1/build/', 'logs/'),
    putObjects('records/', 'api/v1/build/'),
  ],
});
