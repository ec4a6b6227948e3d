import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, ListObjectsV2Command, NoSuchKey } from '@aws-sdk/client-s3';
import { buildOf } from '#adapters/aws/builds/build-item.ts';
import { BUILD_TABLE } from '#adapters/aws/resources.ts';
import type { Build } from '#core/build/build.ts';
import type { ResourceNames } from '#local-aws/resources/aws-resources.ts';
import type { ResourceClients } from '#local-aws/resources/create-resources.ts';
import { type ReadStore, storedFaults } from './stored-faults.ts';
import type { StoredFault } from './system.ts';

/** Returns what is wrong with the table and the bucket of the services, while no runner builds. */
export async function checkResources(clients: ResourceClients, names: ResourceNames, stops: readonly number[]): Promise<StoredFault[]> {
  return storedFaults(await allBuilds(clients, names), bucketOf(clients, names), stops);
}

async function allBuilds({ dynamo }: ResourceClients, { builds: TableName }: ResourceNames): Promise<Build[]> {
  const found: Build[] = [];
  let ExclusiveStartKey: Record<string, never> | undefined;
  do {
    const page = await dynamo.send(new ScanCommand({ TableName, ConsistentRead: true, ...(ExclusiveStartKey && { ExclusiveStartKey }) }));
    for (const item of page.Items ?? []) if (item[BUILD_TABLE.rangeKey]?.S === 'build') found.push(buildOf(item));
    ExclusiveStartKey = page.LastEvaluatedKey as typeof ExclusiveStartKey;
  } while (ExclusiveStartKey !== undefined);
  return found;
}

const bucketOf = ({ s3 }: ResourceClients, { bucket: Bucket }: ResourceNames): ReadStore => ({
  read: async (Key) => {
    try {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
      return Buffer.from((await Body?.transformToByteArray()) ?? []);
    } catch (error) {
      if (error instanceof NoSuchKey) return undefined;
      throw error;
    }
  },
  names: async (folder) => {
    const found = new Map<string, number>();
    let ContinuationToken: string | undefined;
    do {
      const page = await s3.send(
        new ListObjectsV2Command({ Bucket, Prefix: `${folder}/`, ...(ContinuationToken && { ContinuationToken }) }),
      );
      for (const { Key = '', LastModified } of page.Contents ?? []) {
        const name = Key.slice(folder.length + 1).split('/')[0] ?? '';
        found.set(name, Math.max(found.get(name) ?? 0, LastModified?.getTime() ?? 0));
      }
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken !== undefined);
    return found;
  },
});
