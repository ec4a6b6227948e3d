import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import {
  GetObjectCommand,
  type GetObjectCommandOutput,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  NoSuchKey,
  NotFound,
  PutObjectCommand,
  type S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import type { Artifact, ArtifactMeta, ArtifactStore } from '#core/stores.ts';
import { withServiceError } from '../clients/with-service-error.ts';
import { isObjectKey, writableKey } from './object-key.ts';
import { removeObject, removePrefix } from './remove-objects.ts';
import { PART_BYTES, readPart, uploadParts } from './upload-parts.ts';

/** Flags to open a regular file: links are not followed, and opening a FIFO does not wait for a writer. */
const READ_PLAIN = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Returns a store of objects in an S3 bucket, under their keys. The bucket needs no versioning and no public access.
 * Readers never see a part of an object: S3 shows an upload only when it is complete.
 */
export function s3ArtifactStore(client: S3Client, bucket: string): ArtifactStore {
  const call = <T>(promise: Promise<T>) => withServiceError('object storage', promise);
  const put = async (key: string, body: string | Uint8Array, meta: ArtifactMeta): Promise<void> => {
    await call(client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: Buffer.from(body), ...headersOf(meta) })));
  };
  const get = (key: string, range?: { start: number; end: number }): Promise<GetObjectCommandOutput | undefined> =>
    call(
      undefinedIfAbsent(
        client.send(new GetObjectCommand({ Bucket: bucket, Key: key, ...(range && { Range: `bytes=${range.start}-${range.end}` }) })),
      ),
    );

  return {
    async put(key, body, meta) {
      await put(writableKey(key), body, meta);
    },

    async putFile(key, path, meta, signal) {
      writableKey(key);
      signal?.throwIfAborted();
      const file = await open(path, READ_PLAIN);
      try {
        const size = await sizeOf(file, path);
        // The signal does not interrupt a small upload: either it has not started, or it finishes. So its outcome is
        // always known.
        const body = size <= PART_BYTES ? await readPart(file, 0, size) : undefined;
        signal?.throwIfAborted();
        if (body !== undefined) await put(key, body, meta);
        else await call(uploadParts(client, { Bucket: bucket, Key: key, ...headersOf(meta) }, file, size, signal));
      } finally {
        await file.close();
      }
    },

    async read(key) {
      if (!isObjectKey(key)) return undefined;
      return (await get(key))?.Body?.transformToString('utf-8');
    },

    async open(key, range) {
      if (!isObjectKey(key)) return undefined;
      if (range && !(Number.isInteger(range.start) && Number.isInteger(range.end) && range.start >= 0 && range.start <= range.end))
        throw outside(range);
      const found = await get(key, range).catch((error: unknown) => {
        throw range && isStatus(error, 416) ? outside(range, error) : error;
      });
      if (found?.Body === undefined) return undefined;
      const facts = factsOf(found);
      const body = found.Body.transformToWebStream() as ReadableStream<Uint8Array>;
      if (range && range.end >= facts.size) {
        await body.cancel();
        throw outside(range);
      }
      return { ...facts, body };
    },

    async stat(key) {
      if (!isObjectKey(key)) return undefined;
      const found = await call(undefinedIfAbsent(client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }))));
      return found && factsOf(found);
    },

    async remove(key) {
      if (key.endsWith('/')) return call(removePrefix(client, bucket, `${writableKey(key.slice(0, -1))}/`));
      return call(removeObject(client, bucket, writableKey(key)));
    },
  };
}

async function sizeOf(file: FileHandle, path: string): Promise<number> {
  const stat = await file.stat();
  // A file with a second hard link may be one that does not belong to the build.
  if (!stat.isFile() || stat.nlink > 1) throw new Error(`Not a regular file with one name: ${path}`);
  return stat.size;
}

const headersOf = ({ contentType, cacheControl, filename }: ArtifactMeta) => ({
  ContentType: contentType,
  CacheControl: cacheControl,
  ...(filename !== undefined && { ContentDisposition: `attachment; filename="${filename}"` }),
});

function factsOf(found: GetObjectCommandOutput | HeadObjectCommandOutput): Omit<Artifact, 'body'> {
  const filename = /^attachment; filename="(.*)"$/.exec(found.ContentDisposition ?? '')?.[1];
  const whole = 'ContentRange' in found ? /\/(\d+)$/.exec(found.ContentRange ?? '')?.[1] : undefined;
  return {
    size: Number(whole ?? found.ContentLength ?? 0),
    etag: found.ETag ?? '""',
    lastModified: found.LastModified ?? new Date(0),
    meta: {
      contentType: found.ContentType ?? 'application/octet-stream',
      cacheControl: found.CacheControl ?? 'no-cache',
      ...(filename !== undefined && { filename }),
    },
  };
}

const isStatus = (error: unknown, status: number): boolean =>
  error instanceof S3ServiceException && error.$metadata.httpStatusCode === status;

async function undefinedIfAbsent<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof NoSuchKey || error instanceof NotFound) return undefined;
    throw error;
  }
}

const outside = ({ start, end }: { start: number; end: number }, cause?: unknown) =>
  new RangeError(`Bytes ${start}-${end} do not lie within the object`, { cause });
