import { createHash } from 'node:crypto';
import pRetry from 'p-retry';
import { inSlices } from '#adapters/upstream/in-slices.ts';
import type { BuildOrder } from '#core/build/build-order.ts';
import { parseDigests, parseProfiles } from '#core/catalogue/upstream-files.ts';
import { InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import { UpstreamChangedFailure } from '#core/imagebuilder/upstream-changed-failure.ts';
import { hasCode } from '#lib/has-code.ts';
import type { PlainFile } from '#runner/files/plain-file.ts';
import { createFile } from '#runner/files/put-file.ts';
import { MAGIC_BYTES, tarballFormat } from './tarball-format.ts';
import { fetchSmall, fetchSums, reasonOf, type SumsSource } from './upstream-sums.ts';

export interface DownloadOptions extends SumsSource {
  readonly upstreamUrl: string;
  /** The function for requests to hosts that a repository redirects to. */
  readonly fetchPublicly: typeof fetch;
  /** The number of connections tried for one tarball. */
  readonly attempts: number;
  /** The first pause between attempts, which doubles each time. Jitter makes each up to twice as long. */
  readonly backoffMs: number;
  /** The time after which a connection that sends nothing is given up. */
  readonly stallMs: number;
}

/** The shortest interval between two reports of progress. */
const PROGRESS_MS = 1000;

const targetDirectory = (upstreamUrl: string, order: BuildOrder): string =>
  `${upstreamUrl}/${order.versionPath}/targets/${order.request.target}`;

/** The trust in the list of digests that contains an ImageBuilder. */
export interface Listing {
  /** The id of the known key that signed the list. */
  readonly signedBy: string | undefined;
}

/**
 * Checks that upstream still lists the ordered ImageBuilder. A missing digest or name is final: the build was accepted
 * for a revision that no longer exists (docs/architecture.md, Identity and expiry).
 */
export async function checkListed(
  order: BuildOrder,
  options: DownloadOptions,
  log: (line: string) => void,
  signal: AbortSignal,
): Promise<Listing> {
  const directory = targetDirectory(options.upstreamUrl, order);
  const { sums, signedBy } = await fetchSums(directory, options, log, signal);
  const { name, sha256 } = order.imagebuilder;
  const listed = await listedDigest(directory, sums, name);
  if (listed === sha256) return { signedBy };
  const now = listed === undefined ? 'it is no longer listed' : `upstream now has SHA-256 ${listed}`;
  const revision = await currentRevision(directory, options.fetch, signal);
  throw new UpstreamChangedFailure(
    `The ImageBuilder of this build is gone: ${name} of revision ${order.revision} had SHA-256 ${sha256}, ${now}${revision === undefined ? '' : ` (revision ${revision})`}. Ask again to build the current one.`,
  );
}

/** A part of this process that reads a tarball while it is downloaded. */
export interface DownloadFollower {
  /** Called when the file has that many bytes. */
  grown(bytes: number): void;
  /** Called before the download starts over from nothing. The file is changed only when the promise has resolved. */
  startsOver(): Promise<void>;
}

const NO_FOLLOWER: DownloadFollower = { grown: () => undefined, startsOver: async () => undefined };

/**
 * Downloads the ordered tarball to `path`, which must not exist, and resolves only when it is complete and has the
 * ordered SHA-256. It resumes a cut connection if the server supports that, and starts over otherwise. Throws
 * `InfrastructureFailure` with the last reason.
 */
export async function downloadTarball(
  order: BuildOrder,
  path: string,
  options: DownloadOptions,
  log: (line: string) => void,
  signal: AbortSignal,
  follower: DownloadFollower = NO_FOLLOWER,
): Promise<Listing> {
  const { name, sha256 } = order.imagebuilder;
  const url = `${targetDirectory(options.upstreamUrl, order)}/${name}`;
  const file = await createFile(path);
  const transfer: Transfer = { size: 0, hash: createHash('sha256'), etag: undefined, follower };
  const attempt = async (count: number): Promise<Listing> => {
    try {
      const listing = await checkListed(order, options, count === 1 ? log : () => {}, signal);
      log(transfer.size === 0 ? `Downloading ${url}` : `Resuming ${url} at byte ${transfer.size}`);
      await fetchRest(url, file, transfer, options, log, signal);
      const digest = transfer.hash.copy().digest('hex');
      if (digest === sha256) {
        log(`Downloaded ${transfer.size} bytes, SHA-256 ${digest}`);
        return listing;
      }
      await restart(file, transfer);
      throw new InfrastructureFailure(`${url}: wrong bytes: SHA-256 is ${digest}, sha256sums says ${sha256}`);
    } catch (error) {
      signal.throwIfAborted();
      throw asFailure(url, error);
    }
  };
  try {
    return await pRetry(attempt, {
      retries: options.attempts - 1,
      minTimeout: options.backoffMs,
      randomize: true,
      signal,
      shouldRetry: ({ error, attemptNumber }) => {
        if (!mayPass(error)) return false;
        log(`Download: ${error.message}; trying again (attempt ${attemptNumber + 1} of ${options.attempts})`);
        return true;
      },
    });
  } finally {
    await file.close();
  }
}

/** Returns whether another attempt may succeed: not for an ImageBuilder that is gone, nor on a full disk. */
const mayPass = (error: Error): boolean => error instanceof InfrastructureFailure && !error.isFinal && !hasCode(error, 'ENOSPC', 'EDQUOT');

/** The limit on a tarball: ten times the largest ImageBuilder so far. */
const MAX_TARBALL_BYTES = 4 * 1024 ** 3;

interface Transfer {
  size: number;
  hash: ReturnType<typeof createHash>;
  etag: string | undefined;
  readonly follower: DownloadFollower;
}

async function restart(file: PlainFile, transfer: Transfer): Promise<void> {
  await transfer.follower.startsOver();
  await file.truncate(0);
  transfer.size = 0;
  transfer.hash = createHash('sha256');
}

/** Makes one connection. It appends what is missing, and starts over when the server does not resume. */
async function fetchRest(
  url: string,
  file: PlainFile,
  transfer: Transfer,
  { fetch, stallMs }: DownloadOptions,
  log: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const stalled = new AbortController();
  const bounded = AbortSignal.any([signal, stalled.signal]);
  const watch = setTimeout(() => stalled.abort(new Error(`nothing received for ${stallMs} ms`)), stallMs);
  const headers: Record<string, string> = { 'accept-encoding': 'identity' };
  if (transfer.size > 0) {
    headers['range'] = `bytes=${transfer.size}-`;
    if (transfer.etag !== undefined) headers['if-range'] = transfer.etag;
  }
  try {
    const response = await fetch(url, { signal: bounded, headers });
    const resumes = response.status === 206 && response.headers.get('content-range')?.startsWith(`bytes ${transfer.size}-`) === true;
    if (!resumes && response.status !== 200) {
      await response.body?.cancel();
      // This includes 416: what we have does not fit what the server has.
      await restart(file, transfer);
      throw new InfrastructureFailure(`${url}: HTTP ${response.status}`);
    }
    if (!resumes && transfer.size > 0) {
      log('The server does not resume: starting over');
      await restart(file, transfer);
    }
    const etag = response.headers.get('etag');
    transfer.etag = etag === null || etag.startsWith('W/') ? undefined : etag;
    const length = response.headers.get('content-length');
    const total = length === null ? undefined : transfer.size + Number(length);

    let reportedAt = performance.now();
    for await (const part of response.body ?? []) {
      watch.refresh();
      if (transfer.size === 0 && part.length >= MAGIC_BYTES && tarballFormat(part) === undefined)
        throw new InfrastructureFailure(`${url}: ${describeBytes(response.headers.get('content-type'))} instead of a tarball`);
      await file.write(part, 0, part.length, transfer.size);
      transfer.hash.update(part);
      transfer.size += part.length;
      transfer.follower.grown(transfer.size);
      if (transfer.size > MAX_TARBALL_BYTES) throw new InfrastructureFailure(`${url}: longer than any ImageBuilder`);
      if (performance.now() - reportedAt < PROGRESS_MS) continue;
      reportedAt = performance.now();
      log(
        total === undefined
          ? `Downloaded ${transfer.size} bytes`
          : `Downloaded ${Math.floor((100 * transfer.size) / total)} % of ${total} bytes`,
      );
    }
    if (total !== undefined && transfer.size < total)
      throw new InfrastructureFailure(`${url}: cut off after ${transfer.size} of ${total} bytes`);
  } finally {
    clearTimeout(watch);
  }
}

const describeBytes = (contentType: string | null): string =>
  contentType?.includes('html') ? 'a web page' : `something else (${contentType ?? 'no content type'})`;

function asFailure(url: string, error: unknown): InfrastructureFailure {
  if (error instanceof InfrastructureFailure) return error;
  if (hasCode(error, 'ENOSPC', 'EDQUOT'))
    return new InfrastructureFailure('The disk is full: no room for the ImageBuilder', { cause: error });
  return new InfrastructureFailure(`${url}: ${reasonOf(error)}`, { cause: error });
}

async function listedDigest(directory: string, sums: Buffer, name: string): Promise<string | undefined> {
  try {
    return (await inSlices(parseDigests(sums.toString('utf8')))).get(name);
  } catch (error) {
    throw new InfrastructureFailure(`${directory}/sha256sums: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
}

/** Returns the revision that upstream has now, for the message only. */
async function currentRevision(directory: string, doFetch: typeof fetch, signal: AbortSignal): Promise<string | undefined> {
  try {
    const text = await fetchSmall(`${directory}/profiles.json`, doFetch, AbortSignal.any([signal, AbortSignal.timeout(5000)]));
    return text === undefined ? undefined : (await inSlices(parseProfiles(text.toString('utf8')))).revision || undefined;
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}
