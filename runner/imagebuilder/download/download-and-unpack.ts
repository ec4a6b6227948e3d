import { basename, dirname } from 'node:path';
import type { BuildOrder } from '#core/build/build-order.ts';
import { putDirectory } from '#runner/files/put-file.ts';
import { removeInside } from '#runner/files/remove-inside.ts';
import { removeTree } from '#runner/files/remove-tree.ts';
import { type DownloadOptions, downloadTarball, type Listing } from './download.ts';
import { extractTarball } from './extract-tarball.ts';
import { type GrowingFile, growingFile } from './growing-file.ts';
import { MAGIC_BYTES } from './tarball-format.ts';

export interface UnpackingOptions {
  readonly download: DownloadOptions;
  readonly log: (line: string) => void;
  /** Called when the download is complete and has the ordered digest. It may throw. */
  readonly onDownloaded: (listing: Listing) => void;
}

/** An extraction that runs while its tarball comes. */
interface Extraction {
  readonly growth: GrowingFile;
  readonly abort: AbortController;
  /** The bytes unpacked. */
  readonly done: Promise<number>;
}

/**
 * Downloads the ordered tarball, and unpacks it into the empty `directory` while its bytes come. It resolves only when
 * the tarball has the ordered digest and the tree is whole; the caller uses nothing of the tree before that. What was
 * unpacked of other bytes is removed before the download starts over. When it rejects, nothing is written any more, and
 * the directory may hold anything.
 */
export async function downloadAndUnpack(
  order: BuildOrder,
  directory: string,
  { download, log, onDownloaded }: UnpackingOptions,
  signal: AbortSignal,
): Promise<Listing & { readonly bytes: number }> {
  const tarball = `${directory}.tarball`;
  let current: Extraction | undefined;

  const begin = (): Extraction => {
    const growth = growingFile();
    const abort = new AbortController();
    const done = extractTarball(tarball, directory, AbortSignal.any([signal, abort.signal]), growth);
    // Its failure counts only when the bytes were the right ones.
    done.catch(() => undefined);
    return { growth, abort, done };
  };
  const stop = async (): Promise<void> => {
    current?.abort.abort();
    await current?.done.catch(() => undefined);
    current = undefined;
  };
  const follower = {
    grown: (bytes: number) => {
      if (bytes < MAGIC_BYTES) return;
      current ??= begin();
      current.growth.grown(bytes);
    },
    startsOver: async () => {
      if (current === undefined) return;
      await stop();
      await removeTree(directory, signal);
      await putDirectory(dirname(directory), basename(directory), undefined);
    },
  };

  try {
    const listing = await downloadTarball(order, tarball, download, log, signal, follower);
    onDownloaded(listing);
    log(`Unpacking ${order.imagebuilder.name}`);
    current ??= begin();
    current.growth.complete();
    const bytes = await current.done;
    await removeInside(dirname(tarball), basename(tarball));
    log(`Unpacked ${bytes} bytes`);
    return { ...listing, bytes };
  } finally {
    await stop();
  }
}
