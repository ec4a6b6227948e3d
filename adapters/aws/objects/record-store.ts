import { randomUUID } from 'node:crypto';
import { GetObjectCommand, NoSuchKey, PutObjectCommand, type S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import type { RecordStore } from '#core/stores.ts';
import { withThrottledError } from '../clients/throttled.ts';
import { ARTIFACT_BUCKET } from '../resources.ts';

/** Somebody else was first; 409: somebody else is writing right now; 404: it was to be replaced and is gone. */
const LOST = new Set([404, 409, 412]);

/** Anything else would be sent as no condition at all. */
const ETAG = /^"[^"]+"$/;

/**
 * Records as S3 objects, replaced by conditional writes: the tag is the ETag. That is a digest of the bytes, so each write
 * begins with a line of its own: equal bodies get different tags, and a tag never comes back. In S3 and not in the
 * table, because records are too large for its units and read by every instance.
 */
export function s3RecordStore(client: S3Client, bucket: string, prefix: string = ARTIFACT_BUCKET.recordPrefix): RecordStore {
  const objectOf = (key: string) => ({ Bucket: bucket, Key: prefix + key.split('/').map(encodeURIComponent).join('/') });

  const read = async (key: string): Promise<{ nonce: string; body: string; tag: string } | undefined> => {
    try {
      const { Body, ETag } = await withThrottledError('object storage', client.send(new GetObjectCommand(objectOf(key))));
      const text = (await Body?.transformToString('utf-8')) ?? '';
      const end = text.indexOf('\n');
      return { nonce: text.slice(0, end), body: text.slice(end + 1), tag: ETag ?? '' };
    } catch (error) {
      if (error instanceof NoSuchKey) return undefined;
      throw error;
    }
  };

  return {
    async get(key) {
      const found = await read(key);
      return found && { body: found.body, tag: found.tag };
    },

    async replace(key, body, tag) {
      if (tag !== undefined && !ETAG.test(tag)) return false;
      const nonce = randomUUID();
      const put = new PutObjectCommand({
        ...objectOf(key),
        Body: `${nonce}\n${body}`,
        ContentType: 'text/plain; charset=utf-8',
        ...(tag === undefined ? { IfNoneMatch: '*' } : { IfMatch: tag }),
      });
      try {
        await withThrottledError('object storage', client.send(put));
        return true;
      } catch (error) {
        if (!(error instanceof S3ServiceException && LOST.has(error.$metadata.httpStatusCode ?? 0)) || error.name === 'NoSuchBucket')
          throw error;
        // The winner may be this write itself, its first answer lost and the SDK's second try refused.
        return (await read(key))?.nonce === nonce;
      }
    },
  };
}
