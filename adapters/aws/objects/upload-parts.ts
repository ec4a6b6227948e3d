import type { FileHandle } from 'node:fs/promises';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';

/** The size of a part; smaller files are uploaded in one request. S3 accepts 10,000 parts: files of up to 80 GB. */
export const PART_BYTES = 8 * 1024 * 1024;

/**
 * The parts of one file that are uploaded at the same time. A runner uploads four files at once, and so has at most 64
 * MB in memory.
 */
const PARALLEL_PARTS = 2;

/** Returns exactly these bytes. Throws when the file has become shorter, so that no object is shorter than its file. */
export async function readPart(file: FileHandle, start: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(length);
  for (let filled = 0; filled < length; ) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, start + filled);
    if (bytesRead === 0) throw new Error(`The file has become shorter than ${start + length} bytes`);
    filled += bytesRead;
  }
  return buffer;
}

/**
 * Uploads a large file in parts, some at the same time. A failed or aborted upload leaves neither an object nor parts
 * of one.
 */
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
    // The worker that failed first has stopped the others, so its error is the reason.
    if (broken !== undefined) throw stop.reason;
    stop.throwIfAborted();
    const parts = etags.map((ETag, index) => ({ ETag, PartNumber: index + 1 }));
    // The signal does not interrupt this call, because its outcome has to be known.
    await client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: parts } }));
  } catch (error) {
    // If this fails too, the bucket's lifecycle rule removes the parts a day later.
    await client.send(new AbortMultipartUploadCommand(upload)).catch(() => undefined);
    throw error;
  }
}

const options = (signal: AbortSignal | undefined) => (signal ? { abortSignal: signal } : {});
