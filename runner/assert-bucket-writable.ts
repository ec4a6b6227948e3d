import { ResourceError } from '#adapters/aws/readiness.ts';
import { recordMeta } from '#core/build/artifact-keys.ts';
import type { ArtifactStore } from '#core/stores.ts';

/**
 * Throws a `ResourceError` unless an object can be put. It puts one, because a role that may only put objects cannot
 * ask whether the bucket exists.
 */
export async function assertBucketWritable(artifacts: ArtifactStore, bucket: string): Promise<void> {
  try {
    await artifacts.put('logs/runner-started', new Date().toISOString(), recordMeta('text/plain; charset=utf-8'));
  } catch (error) {
    throw new ResourceError(`S3 bucket ${bucket}`, error);
  }
}
