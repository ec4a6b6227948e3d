import { artifactKeys } from '#core/build/artifact-keys.ts';
import type { BinDir, RequestHash } from '#core/request/request-hash.ts';
import { sha256 } from '#core/request/request-hash.ts';
import type { World } from '../world.ts';

interface ResultDocument {
  readonly status: number;
  readonly request_hash: string;
  readonly bin_dir: BinDir;
  readonly files: readonly { readonly name: string; readonly size: number; readonly sha256: string }[];
}

/** Returns why a result cannot be read as it says (I3); `undefined`: all its files are there. */
export function faultOfResult({ truth }: World, document: string): string | undefined {
  const { bin_dir: binDir, files } = resultIn(document);
  if (files.length === 0) return 'a result without files';
  for (const file of files) {
    const found = truth.artifacts.objects.get(artifactKeys.file(binDir, file.name));
    if (found === undefined) return `${binDir.slice(0, 6)}/${file.name} is missing`;
    if (digestOf(found.text) !== file.sha256) return `${binDir.slice(0, 6)}/${file.name} has other bytes`;
  }
  return undefined;
}

/** Returns the same function with its answers remembered: the same few texts are checked after every change. */
function remembering<T>(make: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    const found = known.get(text) ?? make(text);
    if (known.size > 500) known.clear();
    known.set(text, found);
    return found;
  };
}

const digestOf = remembering(sha256);
const resultIn = remembering((document) => JSON.parse(document) as ResultDocument);

/** An answer that a cache may still give. */
export interface CachedAnswer {
  readonly hash: RequestHash;
  readonly document: string;
}

/**
 * Checks what can be read at this moment: the result of every row that is done, every published document and every
 * cached answer, with all their files (I3), and that each document fits the row (I4).
 */
export function checkResults(world: World, cached: Iterable<CachedAnswer>): void {
  const { truth } = world;
  const textOf = (key: string) => truth.artifacts.objects.get(key)?.text;
  const checkFiles = (whose: string, document: string) => {
    const fault = faultOfResult(world, document);
    if (fault !== undefined) world.breaks('I3', `${whose}: ${fault}`);
  };

  for (const row of truth.table.rows()) {
    if (row.state === 'failed' && row.binDir !== undefined) {
      const document = textOf(artifactKeys.failure(row.binDir));
      if (document !== undefined && statusOf(document) !== 500)
        world.breaks('I4', `the failure of ${row.hash.slice(0, 6)} is a ${statusOf(document)}`);
    }
    if (row.state !== 'done') continue;
    const own = textOf(artifactKeys.success(row.binDir));
    const published = textOf(artifactKeys.result(row.hash));
    const document = [published, own].find((one) => one?.includes(row.binDir));
    if (document === undefined) world.breaks('I3', `${row.hash.slice(0, 6)} is done and has no result of ${row.binDir.slice(0, 6)}`);
    else if (statusOf(document) !== 200) world.breaks('I4', `the result of ${row.hash.slice(0, 6)} is a ${statusOf(document)}`);
    else checkFiles(`row ${row.hash.slice(0, 6)}`, document);
  }
  for (const hash of truth.table.hashes()) checkPublished(world, hash, textOf(artifactKeys.result(hash)), checkFiles);
  for (const { hash, document } of cached) checkFiles(`the CDN's copy of ${hash.slice(0, 6)}`, document);
}

const statusOf = (document: string): number => resultIn(document).status;

/** A published document is a result of the build that its row says is done, or is being removed. */
function checkPublished(
  world: World,
  hash: RequestHash,
  document: string | undefined,
  checkFiles: (whose: string, document: string) => void,
): void {
  if (document === undefined) return;
  const row = world.truth.table.asOf(hash, world.scheduler.time());
  const result = resultIn(document);
  const whose = `the published document of ${hash.slice(0, 6)}`;
  if (result.status !== 200 || result.request_hash !== hash) return world.breaks('I4', `${whose} is a ${result.status}`);
  if (row?.state !== 'done' && row?.state !== 'expiring')
    return world.breaks('I4', `${whose} is a 200, and the row is ${row?.state ?? 'gone'}`);
  if (row.state === 'done' && result.bin_dir !== row.binDir) world.breaks('I4', `${whose} is not that of its row`);
  checkFiles(whose, document);
}
