import { randomBytes } from 'node:crypto';
import { symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HeadObjectCommand, ListMultipartUploadsCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { beforeAll, describe, expect, it } from 'vitest';
import { s3ArtifactStore } from '#adapters/aws/objects/artifact-store.ts';
import { assertBucketReady } from '#adapters/aws/readiness.ts';
import type { ArtifactMeta, ArtifactStore } from '#core/stores.ts';
import { createBucket } from '#local-aws/resources/create-resources.ts';
import { artifactStoreContract } from '#test/contracts/artifact-store.ts';
import { freshBinDir } from '#test/contracts/sample-builds.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { s3Client } from './clients.ts';

const META: ArtifactMeta = { contentType: 'application/octet-stream', cacheControl: 'no-cache', filename: 'a+b.img.gz' };
/** The size of a file of three parts, of which the last one is short. */
const LARGE_BYTES = 17 * 1024 * 1024 + 3;

artifactStoreContract('s3', async () => {
  const client = s3Client();
  return s3ArtifactStore(client, await createBucket(client));
});

describe('an artefact store on S3', () => {
  const client = s3Client();
  const large = randomBytes(LARGE_BYTES);
  let directory: string;
  let largeFile: string;
  let bucket: string;
  let store: ArtifactStore;
  beforeAll(async () => {
    directory = await temporaryDirectory();
    largeFile = join(directory, 'large');
    await writeFile(largeFile, large);
    bucket = await createBucket(client);
    store = s3ArtifactStore(client, bucket);
  });

  const freshKey = () => `store/${freshBinDir()}/image.img.gz`;
  const unfinished = async () => (await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }))).Uploads ?? [];

  it('uploads a large file in parts, with every byte and its metadata', async () => {
    const key = freshKey();
    await store.putFile(key, largeFile, META);
    const found = await store.open(key);
    expect(large.equals(Buffer.from(await new Response(found?.body).arrayBuffer()))).toBe(true);
    expect(found).toMatchObject({ size: LARGE_BYTES, meta: META });
    expect(found?.etag).toMatch(/-3"$/);
    expect(await unfinished()).toEqual([]);
  });

  it('leaves neither an object nor parts when a large upload is aborted or fails', async () => {
    const aborted = freshKey();
    const stopped = new AbortController();
    // This separate client observes when the first part has arrived.
    const watched = s3Client();
    watched.middlewareStack.add(
      (next, context) => async (args) => {
        const result = await next(args);
        if (context['commandName'] === 'UploadPartCommand') stopped.abort(new Error('stopped by the test'));
        return result;
      },
      { step: 'initialize' },
    );
    await expect(s3ArtifactStore(watched, bucket).putFile(aborted, largeFile, META, stopped.signal)).rejects.toThrow(/stopped by the test/);

    const shrunk = freshKey();
    const shrinking = join(directory, 'shrinking');
    await writeFile(shrinking, large);
    const shrinks = s3Client();
    shrinks.middlewareStack.add(
      (next, context) => async (args) => {
        if (context['commandName'] === 'CreateMultipartUploadCommand') await truncate(shrinking, 1_000);
        return next(args);
      },
      { step: 'initialize' },
    );
    await expect(s3ArtifactStore(shrinks, bucket).putFile(shrunk, shrinking, META)).rejects.toThrow(/shorter/);

    for (const key of [aborted, shrunk]) expect(await store.stat(key)).toBeUndefined();
    expect(await unfinished()).toEqual([]);
  });

  it('does not read links or devices into an object', async () => {
    const link = join(directory, 'link');
    await symlink(largeFile, link);
    const key = freshKey();
    await expect(store.putFile(key, link, META)).rejects.toThrow(/ELOOP/);
    await expect(store.putFile(key, '/dev/zero', META)).rejects.toThrow(/regular file/);
    expect(await store.stat(key)).toBeUndefined();
  });

  it.each([
    [0, 4],
    [2, 1],
    [-1, 2],
    [4, 4],
    [0.5, 2],
  ])('refuses bytes %d to %d of an object of four', async (start, end) => {
    const key = freshKey();
    await store.put(key, 'four', META);
    await expect(store.open(key, { start, end })).rejects.toThrow(RangeError);
  });

  it('stores the headers that the CDN sends with the object', async () => {
    const key = freshKey();
    await store.put(key, 'x', META);
    expect(await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }))).toMatchObject({
      ContentType: 'application/octet-stream',
      CacheControl: 'no-cache',
      ContentDisposition: 'attachment; filename="a+b.img.gz"',
    });
  });

  it('removes more objects below a prefix than S3 lists or deletes at once', async () => {
    const prefix = `logs/${freshBinDir()}/`;
    const keys = Array.from({ length: 1_050 }, (_, i) => `${prefix}${i}`);
    const put = async () => {
      for (let key = keys.pop(); key !== undefined; key = keys.pop())
        await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: 'x' }));
    };
    await Promise.all(Array.from({ length: 10 }, put));
    expect(await store.remove(prefix)).toBe(1_050);
    expect(await store.remove(prefix)).toBe(0);
  });

  it('fails at the start with the name of a missing bucket', async () => {
    await assertBucketReady(client, bucket);
    await expect(assertBucketReady(client, 'asu-no-such-bucket')).rejects.toThrow(/S3 bucket asu-no-such-bucket cannot be used/);
    await expect(s3ArtifactStore(client, 'asu-no-such-bucket').read('store/a')).rejects.toThrow(/bucket/);
  });
});
