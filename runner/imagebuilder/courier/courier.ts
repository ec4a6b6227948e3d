import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { IndexDigests } from '#core/catalogue/catalogue.ts';
import { readAskingPipe } from '#runner/files/asking-pipe.ts';
import { makeDirectory, putDirectory, putFile } from '#runner/files/put-file.ts';
import type { PackageCache } from '../cache/package-cache.ts';
import { runTool } from '../process/run-tool.ts';
import { type Repositories, type RepositoryIndex, repositoryIndexes } from '../tree/repository-indexes.ts';
import { FetchFailure, fetchListed, type ListedFetch } from './fetch-listed.ts';
import { isIndex, listedPackages } from './listed-packages.ts';
import { ASK, KNOWN, REPLIES } from './wget-stand-in.ts';

/**
 * Fetches for a build, which then needs no network: the indexes of its repositories beforehand, and of the files that these list
 * those that the build asks for. Everything else is refused, so that code in a build reaches nothing else.
 */
export interface Courier {
  /** To be shown to the build, which may ask through the pipe in it and change nothing. */
  readonly directory: string;
  /** Aborts when the build asked and could not be answered, for want of disk space, say: it would wait for ever. */
  readonly broken: AbortSignal;
  /** Fetches the indexes that are not there yet. Call it before each command of the build. */
  ready(): Promise<void>;
  /** SHA-256 of the indexes that the build was given, by their sources: whatever lies in its tree by now. */
  delivered(): ReadonlyMap<string, string>;
  close(): void;
}

export interface CourierOptions extends ListedFetch {
  /** Does not exist yet; its directory is ours. */
  readonly directory: string;
  readonly repositories: Repositories;
  /** What the indexes are expected to be: those that are so, and the packages they list, are kept for other builds. */
  readonly expected: IndexDigests;
  /** Where they are kept; `undefined`: nothing is, since a client has repositories or keys of its own. */
  readonly kept: { readonly packages: PackageCache; readonly key: string } | undefined;
  readonly log: (line: string) => void;
}

interface Listed {
  readonly kind: 'index' | 'signature' | 'package';
  readonly url: string;
  readonly index: RepositoryIndex;
  /** Name in the cache. */
  readonly name: string;
  readonly sha256?: string;
  readonly size?: number;
}

const MAX_INDEX = 64 * 1024 * 1024;
const MAX_SIGNATURE = 16 * 1024;
const MAX_PACKAGE = 256 * 1024 * 1024;

/** All that one build is given: a full image has a hundredth. */
const MAX_BYTES = 4 * 1024 ** 3;
const MAX_ASKED = 20_000;
const MAX_LINE = 4096;

/** Package managers ask for one file after the other. */
const AT_ONCE = 4;

export async function openCourier(options: CourierOptions): Promise<Courier> {
  const { directory, repositories, expected, kept, log, signal } = options;
  const indexes = repositoryIndexes(repositories);
  const listed = new Map<string, Listed>();
  for (const index of indexes) {
    add(listed, { kind: 'index', url: index.url, index, name: index.file });
    if (index.signatureUrl !== undefined) add(listed, { kind: 'signature', url: index.signatureUrl, index, name: `${index.file}.sig` });
  }
  const had = new Map<string, Promise<Buffer>>();
  const digests = new Map<RepositoryIndex, string>();
  let hasPackages: Promise<void> | undefined;
  let bytesGiven = 0;

  const isExpected = (index: RepositoryIndex) => digests.get(index) === expected[index.source];
  /** Whether what belongs to the index may be another's in other builds with these inputs. */
  const isMoved = (index: RepositoryIndex) => expected[index.source] !== undefined && !isExpected(index);

  const keep = async ({ name, index, kind, sha256 }: Listed, bytes: Buffer): Promise<void> => {
    if (kept === undefined || isMoved(index) || (kind !== 'package' && !isExpected(index))) return;
    if (kind === 'package' && sha256 === undefined && index.format !== 'adb') return;
    await kept.packages.put(kept.key, name, bytes).catch((error: unknown) => log(`Not kept for the next build: ${messageOf(error)}`));
  };

  const fromCache = async (file: Listed): Promise<Buffer | undefined> => {
    const bytes = await kept?.packages.read(kept.key, file.name);
    if (bytes === undefined) return undefined;
    if (file.kind === 'index') return sha256Of(bytes) === expected[file.index.source] ? bytes : undefined;
    if (file.kind === 'signature') return isExpected(file.index) ? bytes : undefined;
    return file.sha256 === undefined || sha256Of(bytes) === file.sha256 ? bytes : undefined;
  };

  const fromUpstream = async (file: Listed): Promise<Buffer> => {
    const limit = { index: MAX_INDEX, signature: MAX_SIGNATURE, package: file.size ?? MAX_PACKAGE }[file.kind];
    const bytes = await fetchListed(file.url, limit, options);
    if (file.kind === 'index' && !isIndex(bytes, file.index.format)) throw new FetchFailure('it is no package index', 8);
    if (file.kind === 'signature' && !bytes.toString('latin1').startsWith('untrusted comment:'))
      throw new FetchFailure('it is no signature', 8);
    if (file.sha256 !== undefined && sha256Of(bytes) !== file.sha256) throw new FetchFailure('it is not what the package index says', 4);
    if (file.kind === 'index') digests.set(file.index, sha256Of(bytes));
    await keep(file, bytes);
    return bytes;
  };

  const get = async (file: Listed): Promise<Buffer> => {
    const cached = await fromCache(file);
    if (cached === undefined) return fromUpstream(file);
    if (file.kind === 'index') digests.set(file.index, sha256Of(cached));
    return cached;
  };

  /** An index or signature, remembered while the build lasts; one that could not be had is tried again. */
  const getOnce = (file: Listed): Promise<Buffer> => {
    const before = had.get(file.url);
    if (before !== undefined) return before;
    const getting = get(file).catch((error: unknown) => {
      had.delete(file.url);
      throw error;
    });
    had.set(file.url, getting);
    return getting;
  };

  const prefetch = async (index: RepositoryIndex): Promise<void> => {
    // The index first: whether its signature may come from the cache depends on it.
    for (const url of [index.url, index.signatureUrl]) {
      const file = url === undefined ? undefined : listed.get(canonical(url) ?? '');
      if (file === undefined || had.has(file.url)) continue;
      try {
        const bytes = await getOnce(file);
        const path = knownPath(file.url);
        if (path !== undefined) await putFile(directory, path, bytes);
      } catch (error) {
        signal.throwIfAborted();
        log(`${file.url}: ${messageOf(error)}`);
      }
    }
  };

  /** Reads the indexes, once there is a file to look for in them. */
  const readIndexes = async (): Promise<void> => {
    for (const index of indexes) {
      const file = listed.get(canonical(index.url) ?? '');
      if (file === undefined) continue;
      try {
        for (const { path, name, sha256, size } of await listedPackages(await getOnce(file), index.format))
          add(listed, { kind: 'package', url: `${index.base}${path}`, index, name, ...(sha256 && { sha256 }), ...(size && { size }) });
      } catch (error) {
        signal.throwIfAborted();
        log(`${index.url}: ${messageOf(error)}`);
      }
    }
  };

  const find = async (url: string): Promise<Listed> => {
    const key = canonical(url) ?? '';
    if (!listed.has(key)) {
      hasPackages ??= readIndexes();
      await hasPackages;
    }
    const file = listed.get(key);
    if (file === undefined) throw new FetchFailure('no repository of this build lists it', 8);
    return file;
  };

  const reply = async (id: string, url: string): Promise<void> => {
    let code = 0;
    try {
      const file = await find(url);
      const bytes = await (file.kind === 'package' ? get(file) : getOnce(file));
      bytesGiven += bytes.length;
      if (bytesGiven > MAX_BYTES) throw new FetchFailure(`this build was given more than ${MAX_BYTES} bytes`, 8);
      await putFile(directory, `${REPLIES}/${id}.file`, bytes);
    } catch (error) {
      if (signal.aborted) return;
      code = error instanceof FetchFailure ? error.code : 4;
      log(`${url.slice(0, 300)}: ${messageOf(error)}`);
    }
    await putFile(directory, `${REPLIES}/${id}`, `${code}\n`);
  };

  await makeDirectory(directory, { mode: 0o755 });
  for (const name of [KNOWN, REPLIES]) await putDirectory(directory, name, undefined);
  await runTool('mkfifo', ['-m', '0622', join(directory, ASK)], { cwd: '/', signal });
  const pipe = await readAskingPipe(join(directory, ASK));
  const broken = new AbortController();
  answerLines(pipe, (id, url) => reply(id, url).catch((error: unknown) => broken.abort(error)));

  return {
    directory,
    broken: broken.signal,
    ready: async () => {
      await Promise.all(indexes.map(prefetch));
    },
    delivered: () => new Map([...digests].map(([{ source }, sha256]) => [source, sha256])),
    close: () => pipe.destroy(),
  };
}

/** `<id> <url>` lines, some at once; what is anything else is not answered. Nobody asks more than a build can need. */
function answerLines(pipe: NodeJS.ReadableStream & { destroy(): void }, answer: (id: string, url: string) => Promise<void>): void {
  let rest = '';
  let asked = 0;
  let answering = 0;
  const waiting: [id: string, url: string][] = [];
  const next = (): void => {
    while (answering < AT_ONCE) {
      const line = waiting.shift();
      if (line === undefined) return;
      answering++;
      answer(...line).finally(() => {
        answering--;
        next();
      });
    }
  };
  pipe.on('error', () => pipe.destroy());
  pipe.on('data', (part: Buffer) => {
    const lines = (rest + part.toString('latin1')).split('\n');
    rest = (lines.pop() ?? '').slice(-MAX_LINE);
    for (const line of lines) {
      const [, id, url] = ASKED.exec(line) ?? [];
      if (id === undefined || url === undefined) continue;
      if (++asked > MAX_ASKED) return pipe.destroy();
      waiting.push([id, url]);
    }
    next();
  });
}

/** The id names a file of ours. */
const ASKED = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}) (https?:\/\/[\x21-\x7e]{1,2000})$/;

function add(listed: Map<string, Listed>, file: Listed): void {
  const [key, base] = [canonical(file.url), canonical(file.index.base)];
  if (key === undefined || base === undefined || !key.startsWith(base)) return;
  // Of two repositories that list the same file, the first counts for package managers too.
  if (!listed.has(key)) listed.set(key, file);
}

/** One spelling of a URL: package managers write some characters in hexadecimal digits, and slashes twice. */
function canonical(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null || url.search !== '' || url.hash !== '') return undefined;
  try {
    return `${url.protocol}//${url.username}:${url.password}@${url.host}${decodeURIComponent(url.pathname).replaceAll(/\/{2,}/g, '/')}`;
  } catch {
    return undefined;
  }
}

/** Where the build looks for a file that is there beforehand, by its URL. `undefined`: not under this one. */
function knownPath(url: string): string | undefined {
  const path = url.replace('://', '/');
  const isPlain = path.split('/').every((name) => name !== '' && name !== '.' && name !== '..' && name.length < 250);
  return isPlain && /^[\x21-\x7e]+$/.test(path) ? `${KNOWN}/${path}` : undefined;
}

const sha256Of = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
