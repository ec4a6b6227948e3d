import { randomUUID } from 'node:crypto';
import { GetObjectCommand, NoSuchKey, PutObjectCommand, type S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import type { RecordStore } from '#core/stores.ts';
import { withServiceError } from '../clients/with-service-error.ts';
import { ARTIFACT_BUCKET } from '../resources.ts';

/**
 * The statuses of a lost race. 412: another writer was first; 409: another writer is writing now; 404: the record to
 * replace is gone.
 */
const LOST = new Set([404, 409, 412]);

/** The form of an ETag. The SDK would send any other tag as no condition at all. */
const ETAG = /^"[^"]+"$/;

/**
 * Returns a store of records as S3 objects, which conditional writes replace. The tag is the ETag, a digest of the
 * bytes: each write begins with a unique line, so that equal bodies get different tags and a tag never comes back.
 * Records are in S3 and not in the table, because they are too large for its units and every instance reads them.
 */
export function s3RecordStore(client: S3Client, bucket: string, prefix: string = ARTIFACT_BUCKET.recordPrefix): RecordStore {
  const objectOf = (key: string) => ({ Bucket: bucket, Key: prefix + key.split('/').map(encodeURIComponent).join('/') });

  const read = async (key: string): Promise<{ nonce: string; body: string; tag: string } | undefined> => {
    try {
      const { Body, ETag } = await withServiceError('object storage', client.send(new GetObjectCommand(objectOf(key))));
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
        await withServiceError('object storage', client.send(put));
        return true;
      } catch (error) {
        if (!(error instanceof S3ServiceException && LOST.has(error.$metadata.httpStatusCode ?? 0)) || error.name === 'NoSuchBucket')
          throw error;
        // The winner may be this same write: its first answer was lost, and S3 refused the SDK's second attempt.
        return (await read(key))?.nonce === nonce;
      }
    },
  };
}
