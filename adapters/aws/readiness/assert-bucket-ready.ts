import { HeadBucketCommand, type S3Client } from '@aws-sdk/client-s3';
import { ResourceError } from './resource-error.ts';

/** Throws a `ResourceError` unless the bucket is there and may be used. */
export async function assertBucketReady(client: S3Client, bucket: string): Promise<void> {
  try {
    await client.send(new HeadBucketCommand({ Bucket: bucket }));
  } catch (error) {
    throw new ResourceError(`S3 bucket ${bucket}`, error);
  }
}
