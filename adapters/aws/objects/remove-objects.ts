import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  NotFound,
  type S3Client,
} from '@aws-sdk/client-s3';

/**
 * Removes one object, and returns how many there were. It asks S3 first, because a removal does not say whether the
 * object existed.
 */
export async function removeObject(client: S3Client, bucket: string, key: string): Promise<number> {
  const target = { Bucket: bucket, Key: key };
  const isThere = await client.send(new HeadObjectCommand(target)).then(
    () => true,
    (error: unknown) => {
      if (error instanceof NotFound) return false;
      throw error;
    },
  );
  if (!isThere) return 0;
  await client.send(new DeleteObjectCommand(target));
  return 1;
}

/**
 * Removes all objects below a prefix, at most 1,000 at a time, and returns how many there were. Throws when S3 does not
 * remove one.
 */
export async function removePrefix(client: S3Client, bucket: string, prefix: string): Promise<number> {
  let removed = 0;
  for (;;) {
    // Always the first page: the objects of the page before have been removed.
    const { Contents = [], IsTruncated } = await client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix }));
    const objects = Contents.map(({ Key }) => ({ Key }));
    if (objects.length === 0) return removed;
    const { Errors = [] } = await client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: objects, Quiet: true } }));
    const [first] = Errors;
    if (first)
      throw new Error(`${Errors.length} objects below ${prefix} were not removed, such as ${first.Key}: ${first.Code} ${first.Message}`);
    removed += objects.length;
    if (!IsTruncated) return removed;
  }
}
