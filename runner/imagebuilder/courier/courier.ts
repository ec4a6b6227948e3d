import { join } from 'node:path';
import { InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import { hasCode } from '#lib/has-code.ts';
import { mapAtMost } from '#lib/map-at-most.ts';
import { readAskingPipe } from '#runner/files/asking-pipe.ts';
import { makeDirectory, putDirectory, putFile } from '#runner/files/put-file.ts';
import { UnexpectedFileError } from '#runner/files/unexpected-file.ts';
import { runTool } from '../process/run-tool.ts';
import { type Repositories, type RepositoryIndex, repositoryIndexes } from '../tree/repository-indexes.ts';
import { FetchFailure } from './fetch-listed.ts';
import { type FileSourceOptions, fileSource } from './file-source.ts';
import { type ListedFile, listedFiles } from './listed-files.ts';
import { listedPackages } from './listed-packages.ts';
import { answerQuestions, type Question } from './questions.ts';
import { ASK, KNOWN, REPLIES } from './wget-stand-in.ts';

/**
 * Fetches for a build, which then needs no network: the indexes of its repositories beforehand, and of the files that these list
 * those that the build asks for. It refuses everything else, so code in a build reaches nothing else through it.
 */
export interface Courier {
  /** To be shown to the build, which may ask through the pipe in it and change nothing. */
  readonly directory: string;
  /** Aborts when the build must end: its question cannot be answered, for want of disk space say, or it asks without end. */
  readonly broken: AbortSignal;
  /** Fetches the indexes that are not there yet, and lets what failed be tried again. Call it before each command of the build. */
  ready(): Promise<void>;
  /** SHA-256 of the indexes that the build was given, by their sources: whatever lies in its tree by now. */
  delivered(): ReadonlyMap<string, string>;
  /** Whether the package cache shares files with this build that only the build can check. */
  sharesUnverified(): boolean;
  /** Ends all downloads. Nothing is written to the directory afterwards. */
  close(): Promise<void>;
}

export interface CourierOptions extends FileSourceOptions {
  /** Does not exist yet; its directory is ours. */
  readonly directory: string;
  /** Who may ask; `undefined`: builds have our own uid. */
  readonly uid: number | undefined;
  readonly repositories: Repositories;
}

/** All indexes of one build together: a hundred times what OpenWrt's feeds have. */
const MAX_INDEX_BYTES = 64 * 1024 * 1024;

/** Repositories of one build whose indexes are fetched: ten times what OpenWrt's own are. Package managers do not get those beyond. */
const MAX_INDEXES = 100;

/** Indexes fetched at a time. Each may be long, and they are in memory. */
const INDEXES_AT_ONCE = 4;

/** All that one build is given: a full image has a hundredth. */
const MAX_BYTES = 4 * 1024 ** 3;

export async function openCourier(options: CourierOptions): Promise<Courier> {
  const { directory, uid, repositories, log } = options;
  const closing = new AbortController();
  const broken = new AbortController();
  const signal = AbortSignal.any([options.signal, closing.signal]);
  const source = fileSource({ ...options, signal });
  const all = repositoryIndexes(repositories);
  const indexes = all.slice(0, MAX_INDEXES);
  if (all.length > MAX_INDEXES) log(`Only the first ${MAX_INDEXES} of ${all.length} repositories are fetched`);
  const listed = listedFiles(indexes);
  /** Indexes and signatures, which stay the same while the build lasts. */
  const had = new Map<ListedFile, Buffer>();
  const read = new Set<RepositoryIndex>();
  /** What could not be had since the command began. A build cannot make the server try it again and again. */
  const failed = new Map<ListedFile, FetchFailure>();
  let indexBytes = 0;
  let bytesGiven = 0;

  const get = async (file: ListedFile): Promise<Buffer> => {
    const [before, failure] = [had.get(file), failed.get(file)];
    if (before !== undefined) return before;
    if (failure !== undefined) throw failure;
    try {
      const bytes = await source.get(file, MAX_INDEX_BYTES - indexBytes);
      if (file.kind === 'package') return bytes;
      indexBytes += bytes.length;
      if (indexBytes > MAX_INDEX_BYTES) throw new FetchFailure(`the indexes have more than ${MAX_INDEX_BYTES} bytes together`, 8);
      had.set(file, bytes);
      return bytes;
    } catch (error) {
      if (error instanceof FetchFailure) failed.set(file, error);
      throw error;
    }
  };

  const prefetch = async (index: RepositoryIndex): Promise<void> => {
    for (const file of listed.ofIndex(index)) {
      if (had.has(file)) continue;
      try {
        const bytes = await get(file);
        await putKnown(directory, file.url, bytes);
      } catch (error) {
        if (!(error instanceof FetchFailure)) throw error;
        log(`${file.url}: ${error.message}`);
        // The signature of an index that is not there is of no use.
        return;
      }
    }
  };

  /** Reads the indexes, once there is a file to look for in them. */
  const readIndexes = async (): Promise<void> => {
    for (const index of indexes) {
      const [file] = listed.ofIndex(index);
      const bytes = file && had.get(file);
      if (bytes === undefined || read.has(index)) continue;
      read.add(index);
      try {
        await listed.addPackages(index, await listedPackages(bytes, index.format));
      } catch (error) {
        log(`${index.url}: ${messageOf(error)}`);
      }
    }
  };

  const give = async (url: string): Promise<Buffer> => {
    if (listed.find(url) === undefined) await readIndexes();
    const file = listed.find(url);
    if (file === undefined) throw new FetchFailure('no repository of this build lists it', 8);
    if (bytesGiven > MAX_BYTES) throw new FetchFailure(`this build was given more than ${MAX_BYTES} bytes`, 8);
    const bytes = await get(file);
    bytesGiven += bytes.length;
    return bytes;
  };

  const answer = async ({ id, url }: Question): Promise<void> => {
    if (signal.aborted || broken.signal.aborted) return;
    let code = 0;
    try {
      await putFile(directory, `${REPLIES}/${id}.file`, await give(url));
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof FetchFailure)) return broken.abort(error);
      code = error.code;
      log(`${url.slice(0, MAX_SHOWN)}: ${error.message}`);
    }
    await putFile(directory, `${REPLIES}/${id}`, `${code}\n`).catch((error: unknown) => broken.abort(error));
  };

  await makeDirectory(directory, { mode: 0o755 });
  for (const name of [KNOWN, REPLIES]) await putDirectory(directory, name, undefined);
  await runTool('mkfifo', ['-m', '0600', join(directory, ASK)], { cwd: '/', signal });
  const questions = answerQuestions(await readAskingPipe(join(directory, ASK), uid), answer, () =>
    broken.abort(new InfrastructureFailure('The build asked for more files than any build needs and was ended', { isFinal: true })),
  );

  return {
    directory,
    broken: broken.signal,
    ready: async () => {
      failed.clear();
      await mapAtMost(indexes, INDEXES_AT_ONCE, prefetch);
    },
    delivered: source.digests,
    sharesUnverified: source.sharesUnverified,
    close: async () => {
      closing.abort();
      await questions.close();
    },
  };
}

const MAX_SHOWN = 300;

/** Puts a file where the build looks before it asks, by its URL. Where the URL makes no path of its own the build has to ask. */
async function putKnown(directory: string, url: string, bytes: Buffer): Promise<void> {
  const path = url.replace('://', '/');
  const isPlain = path.split('/').every((name) => name !== '' && name !== '.' && name !== '..' && name.length < 250);
  if (!isPlain || !/^[\x21-\x7e]+$/.test(path)) return;
  await putFile(directory, `${KNOWN}/${path}`, bytes).catch((error: unknown) => {
    // One repository may lie below the address of another's index.
    if (!(error instanceof UnexpectedFileError) && !hasCode(error, 'EISDIR', 'ENOTEMPTY', 'EEXIST')) throw error;
  });
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
