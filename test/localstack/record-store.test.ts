import { PutObjectCommand } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { s3RecordStore } from '#adapters/aws/objects/record-store.ts';
import { createBucket } from '#local-aws/resources/create-resources.ts';
import { recordStoreContract } from '#test/contracts/record-store.ts';
import { s3Client } from './clients.ts';

recordStoreContract('s3', async () => {
  const client = s3Client();
  return s3RecordStore(client, await createBucket(client));
});

describe('a record store on S3', () => {
  it('recognises its own write when the SDK sends it twice', async () => {
    const client = s3Client();
    // The first answer is lost after S3 has written, so the SDK's retry finds the new record.
    client.middlewareStack.add(
      (next, context) => async (args) => {
        if (context['commandName'] === 'PutObjectCommand') await s3Client().send(new PutObjectCommand(args.input as never));
        return next(args);
      },
      { step: 'initialize' },
    );
    const store = s3RecordStore(client, await createBucket(client));
    expect(await store.replace('record', 'one', undefined)).toBe(true);
    const { tag } = (await store.get('record')) ?? {};
    expect(await store.replace('record', 'two', tag)).toBe(true);
    expect(await store.replace('record', 'three', tag)).toBe(false);
    expect((await store.get('record'))?.body).toBe('two');
  });

  it('keeps records with similar keys apart', async () => {
    const client = s3Client();
    const store = s3RecordStore(client, await createBucket(client));
    const keys = ['a/b', 'a%2Fb', 'a b', 'a+b', 'a:b/../c'];
    for (const key of keys) expect(await store.replace(key, key, undefined)).toBe(true);
    for (const key of keys) expect((await store.get(key))?.body).toBe(key);
  });
});
