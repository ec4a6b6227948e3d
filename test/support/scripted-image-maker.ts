import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BUILD_STEPS } from '#core/build/build.ts';
import type { BuildOrder } from '#core/build/build-order.ts';
import type { ImageMaker } from '#core/build/ports.ts';
import type { BuildOutput } from '#core/imagebuilder/build-output.ts';
import type { Warning } from '#core/warning.ts';

export interface Script {
  /** Called in the last step. It may wait, or throw the errors of a real ImageBuilder. */
  readonly act?: (order: BuildOrder, signal: AbortSignal) => Promise<void> | void;
  /** What the images' maker warns of. */
  readonly warnings?: readonly Warning[];
}

export interface ScriptedImageMaker extends ImageMaker {
  /** The request hashes in the order in which their builds began. */
  readonly begun: readonly string[];
}

/** An ImageMaker that makes small files at once instead of images, for tests of everything around it. */
export function scriptedImageMaker({ act, warnings }: Script = {}): ScriptedImageMaker {
  const begun: string[] = [];
  return {
    begun,
    make: async (order, binDir, progress, signal) => {
      begun.push(order.requestHash);
      for (const step of BUILD_STEPS) progress.enter(step);
      await act?.(order, signal);
      signal.throwIfAborted();
      return { ...(await scriptedOutput(order, `image of ${binDir}`)), ...(warnings && { warnings }) };
    },
  };
}

async function scriptedOutput(order: BuildOrder, content: string): Promise<BuildOutput> {
  const directory = await mkdtemp(join(tmpdir(), 'asu-scripted-'));
  const { version, profile } = order.request;
  const name = `openwrt-${version}-${profile}-squashfs-sysupgrade.bin`;
  const path = join(directory, name);
  await writeFile(path, content);
  const sha256 = createHash('sha256').update(content).digest('hex');
  return {
    files: [{ name, path, size: content.length, sha256 }],
    metadata: { version_number: version, version_code: order.revision, source_date_epoch: 1_700_000_000, target: order.request.target },
    profile: { images: [{ name, type: 'sysupgrade', filesystem: 'squashfs', sha256 }], titles: [{ title: profile }] },
    manifest: Object.fromEntries(order.request.packages.map((packageName) => [packageName, '1'])),
    buildCommand: ['make', 'image', `PROFILE=${profile}`],
    packages: order.request.packages,
    stdout: '',
    stderr: '',
    durations: { building_image: 1 },
    digests: {},
    reproduce: '#!/bin/sh\n',
    dispose: () => rm(directory, { recursive: true, force: true }),
  };
}
