import { lambda } from '../lambda.ts';
import { listBucket, putObjects, readObjects } from '../permissions.ts';
import { bucketName } from '../resource-names.ts';

export const catalogue = lambda('Catalogue', 'catalogue', {
  environment: bucketName,
  permissions: [listBucket, readObjects('records/'), putObjects('records/')],
});
