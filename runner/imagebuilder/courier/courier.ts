import { join } from 'node:path';
import { inSlices } from '#adapters/upstream/in-slices.ts';
import { InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import type { Fetched } from '#core/imagebuilder/download-troubles.ts';
import { neededPackages } from '#core/imagebuilder/needed-packages.ts';
import type { ListedPackage } from '#core/imagebuilder/package-files.ts';
import { hasCode } from '#lib/has-code.ts';
import { mapAtMost } from '#lib/map-at-most.ts';
import { messageOf } from '#lib/message-of.ts';
import { readAskingPipe } from '#runner/files/asking-pipe.ts';
import { makeDirectory, putDirectory, putFile } from '#runner/files/put-file.ts';
import { UnexpectedFileError } from '#runner/files/unexpected-file.ts';
import { runTool } from '../process/run-tool.ts';
import { type Repositories, type RepositoryIndex, repositoryIndexes } from '../tree/repository-indexes.ts';
import { type Downloads, fetchAhead } from './fetch-ahead.ts';
import { FetchFailure, isNetworkFailure } from './fetch-listed.ts';
import { type FileSourceOptions, fileSource } from './file-source.ts';
import { type ListedFile, listedFiles } from './listed-files.ts';
import { type PackageLists, packageLists } from './package-lists.ts';
import { answerQuestions, type Question } from './questions.ts';
import { ASK, KNOWN, REPLIES } from './wget-stand-in.ts';

/**
 * Fetches files for a build, which then needs no network: first the indexes of its repositories, then those listed
 * files that the build asks for. It refuses everything else, so code in a build reaches nothing else through it.
 */
export interface Courier {
  /** The directory to show to the build, which may ask through the pipe in it and change nothing. */
  readonly directory: string;
  /**
   * Aborts when the build must end: its question cannot be answered (the disk is full, for example), or it asks without
   * end.
   */
  readonly broken: AbortSignal;
  /**
   * Fetches the indexes that are still missing, and allows failed files to be tried again. Call it before each command
   * of the build. If the command installs packages, `wanted` are their names: these packages, and those that they need,
   * are put where the package manager looks before it downloads.
   */
  ready(wanted?: readonly string[]): Promise<void>;
  /** Returns the SHA-256 of the indexes that the build was given, by source, whatever is in its tree by now. */
  delivered(): ReadonlyMap<string, string>;
  /** Returns what became of the files that the build needed, by URL. */
  fetched(): Fetched;
  /** Whether the package cache shares files with this build that only the build can check. */
  sharesUnverified(): boolean;
  /** Whether a file could not be had because its server did not answer, or answered with a fault of its own. */
  wasCutOff(): boolean;
  /** Ends all downloads. Nothing is written to the directory afterwards. */
  close(): Promise<void>;
}

export interface CourierOptions extends FileSourceOptions {
  /** The directory to create. Its parent must be ours. */
  readonly directory: string;
  /** The user who may ask; `undefined` when builds have our own uid. */
  readonly uid: number | undefined;
  readonly repositories: Repositories;
  readonly downloads: Downloads;
  /** The lists that builds share; the default is lists of this build. */
  readonly lists?: PackageLists;
}

/** A package that an index lists, and the directory of the index. */
type OfferedPackage = ListedPackage & { readonly base: string };

/** The limits on what is kept of all indexes together for a look ahead, ten times as much as OpenWrt's feeds have. */
const MAX_OFFERED = 150_000;
const MAX_OFFERED_NAMES = 1_000_000;

/** The limit on all indexes of one build together: a hundred times the size of OpenWrt's feeds. */
const MAX_INDEX_BYTES = 64 * 1024 * 1024;

/**
 * The number of repositories of one build whose indexes are fetched: ten times as many as OpenWrt has. Others are left
 * out.
 */
const MAX_INDEXES = 100;

/** The number of indexes that are fetched at a time, since each may be long and stays in memory. */
const INDEXES_AT_ONCE = 4;

/** The limit on all files that one build gets. A full image needs a hundredth of it. */
const MAX_BYTES = 4 * 1024 ** 3;

export async function openCourier(options: CourierOptions): Promise<Courier> {
  const { directory, uid, repositories, downloads, log, lists = packageLists() } = options;
  const closing = new AbortController();
  const broken = new AbortController();
  const signal = AbortSignal.any([options.signal, closing.signal]);
  const source = fileSource({ ...options, signal });
  const all = repositoryIndexes(repositories);
  const indexes = all.slice(0, MAX_INDEXES);
  if (all.length > MAX_INDEXES) log(`Only the first ${MAX_INDEXES} of ${all.length} repositories are fetched`);
  const listed = listedFiles(indexes);
  /** The indexes and signatures, which do not change during the build. */
  const fetched = new Map<ListedFile, Buffer>();
  const read = new Set<RepositoryIndex>();
  /**
   * The packages that the indexes list, with the directory of each. The list is read when the first file is looked up
   * or wanted.
   */
  const offered: OfferedPackage[] = [];
  /** The names of the packages that the expected indexes list, which are OpenWrt's. */
  const ofOpenwrt = new Set<string>();
  let offeredNames = 0;
  /** The files that failed since the command began. A build cannot make the server try them again and again. */
  const failed = new Map<ListedFile, FetchFailure>();
  /** The last failure of each file, for the explanation of a failed build. */
  const failures = new Map<string, FetchFailure>();
  let isCutOff = false;
  let indexBytes = 0;
  let bytesGiven = 0;

  /**
   * Fetches a file, unless that has failed since the command began. A package that is longer than `maxBytes` may be
   * asked for again.
   */
  const get = async (file: ListedFile, maxBytes = Number.POSITIVE_INFINITY): Promise<Buffer> => {
    const [before, failure] = [fetched.get(file), failed.get(file)];
    if (before !== undefined) return before;
    if (failure !== undefined) throw failure;
    try {
      if (file.kind === 'package') return await source.get(file, maxBytes);
      const bytes = await source.get(file, MAX_INDEX_BYTES - indexBytes);
      indexBytes += bytes.length;
      if (indexBytes > MAX_INDEX_BYTES) throw new FetchFailure(`the indexes have more than ${MAX_INDEX_BYTES} bytes together`, 8);
      fetched.set(file, bytes);
      return bytes;
    } catch (error) {
      if (error instanceof FetchFailure && (error.code === 4 || maxBytes === Number.POSITIVE_INFINITY)) failed.set(file, error);
      throw error;
    }
  };

  /** Fetches a file that the build needs, and remembers what became of it. */
  const need = async (file: ListedFile): Promise<Buffer> => {
    try {
      const bytes = await get(file);
      failures.delete(file.url);
      return bytes;
    } catch (error) {
      if (error instanceof FetchFailure) {
        failures.set(file.url, error);
        isCutOff ||= isNetworkFailure(error);
      }
      throw error;
    }
  };

  const prefetch = async (index: RepositoryIndex): Promise<void> => {
    for (const file of listed.ofIndex(index)) {
      if (fetched.has(file)) continue;
      try {
        const bytes = await need(file);
        await putKnown(directory, file.url, bytes);
      } catch (error) {
        if (!(error instanceof FetchFailure)) throw error;
        log(`${file.url}: ${error.message}`);
        // A signature is of no use without its index.
        return;
      }
    }
  };

  /** Reads the indexes that were fetched since the last call. */
  const readIndexes = async (): Promise<void> => {
    for (const index of indexes) {
      const [file] = listed.ofIndex(index);
      const bytes = file && fetched.get(file);
      if (bytes === undefined || read.has(index)) continue;
      read.add(index);
      try {
        const digest = source.digests().get(index.source);
        // Only OpenWrt's indexes are kept: those of clients would displace them.
        const found = await lists.read(bytes, index.format, digest === options.expected[index.source] ? digest : undefined);
        await listed.addPackages(
          index,
          found.map(({ file: listedFile }) => listedFile),
        );
        for (const one of found) {
          if (Object.hasOwn(options.expected, index.source)) ofOpenwrt.add(one.name);
          offeredNames += one.depends.length + one.provides.length;
          if (offered.length >= MAX_OFFERED || offeredNames > MAX_OFFERED_NAMES) break;
          offered.push({ ...one, base: index.base });
        }
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
    const bytes = await need(file);
    bytesGiven += bytes.length;
    return bytes;
  };

  const putWanted = async (wanted: readonly string[]): Promise<void> => {
    await readIndexes();
    const needed = await inSlices(neededPackages(wanted, offered));
    const files = needed.map(({ base, file }) => listed.find(`${base}${file.path}`)).filter((file) => file !== undefined);
    await fetchAhead(files, { downloads, get });
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
    ready: async (wanted = []) => {
      failed.clear();
      source.forgive();
      await mapAtMost(indexes, INDEXES_AT_ONCE, prefetch);
      if (wanted.length > 0) await putWanted(wanted);
    },
    delivered: source.digests,
    fetched: () => ({ delivered: new Set([...fetched.keys()].map(({ url }) => url)), failed: failures, listed: ofOpenwrt }),
    sharesUnverified: source.sharesUnverified,
    wasCutOff: () => isCutOff,
    close: async () => {
      closing.abort();
      await questions.close();
    },
  };
}

const MAX_SHOWN = 300;

/**
 * Puts a file where the build looks before it asks. The path is made from the URL; if the URL is unsuitable, the build
 * has to ask.
 */
async function putKnown(directory: string, url: string, bytes: Buffer): Promise<void> {
  const path = url.replace('://', '/');
  const isPlain = path.split('/').every((name) => name !== '' && name !== '.' && name !== '..' && name.length < 250);
  if (!isPlain || !/^[\x21-\x7e]+$/.test(path)) return;
  await putFile(directory, `${KNOWN}/${path}`, bytes).catch((error: unknown) => {
    // One repository may be below the address of another's index.
    if (!(error instanceof UnexpectedFileError) && !hasCode(error, 'EISDIR', 'ENOTEMPTY', 'EEXIST')) throw error;
  });
}
