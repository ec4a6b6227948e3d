import type { FileHandle } from 'node:fs/promises';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';

/** What is smaller goes in one request. S3 takes 10,000 parts: files up to 80 GB. */
export const PART_BYTES = 8 * 1024 * 1024;

/** Of one file; a runner uploads four files at once, so that 64 MB are the most it holds. */
const PARALLEL_PARTS = 2;

/** Exactly these bytes; a file that has become shorter is an error, never a shorter object. */
export async function readPart(file: FileHandle, start: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(length);
  for (let filled = 0; filled < length; ) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, start + filled);
    if (bytesRead === 0) throw new Error(`The file has become shorter than ${start + length} bytes`);
    filled += bytesRead;
  }
  return buffer;
}

/** Uploads a large file in parts, some at once. When it fails or is aborted nothing is left, neither an object nor parts of one. */
export async function uploadParts(
  client: S3Client,
  target: CreateMultipartUploadCommandInput & { Bucket: string; Key: string },
  file: FileHandle,
  size: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(target), options(signal));
  const upload = { Bucket: target.Bucket, Key: target.Key, UploadId };
  const failed = new AbortController();
  const stop = signal ? AbortSignal.any([signal, failed.signal]) : failed.signal;
  const count = Math.ceil(size / PART_BYTES);
  const etags: (string | undefined)[] = Array.from({ length: count });
  let next = 0;

  const work = async () => {
    while (next < count) {
      const index = next++;
      const start = index * PART_BYTES;
      const body = await readPart(file, start, Math.min(PART_BYTES, size - start));
      stop.throwIfAborted();
      const { ETag } = await client.send(new UploadPartCommand({ ...upload, PartNumber: index + 1, Body: body }), options(stop));
      etags[index] = ETag;
    }
  };

  try {
    const workers = Array.from({ length: PARALLEL_PARTS }, () =>
      work().catch((error: unknown) => {
        failed.abort(error);
        throw error;
      }),
    );
    const [broken] = (await Promise.allSettled(workers)).filter(({ status }) => status === 'rejected');
    // The worker that failed first stopped the others: its reason is the reason.
    if (broken !== undefined) throw stop.reason;
    stop.throwIfAborted();
    const parts = etags.map((ETag, index) => ({ ETag, PartNumber: index + 1 }));
    // From here on not abortable: whether it happened must not be a guess.
    await client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: parts } }));
  } catch (error) {
    // What even this cannot clear away, the bucket's lifecycle rule does a day later.
    await client.send(new AbortMultipartUploadCommand(upload)).catch(() => undefined);
    throw error;
  }
}

const options = (signal: AbortSignal | undefined) => (signal ? { abortSignal: signal } : {});
