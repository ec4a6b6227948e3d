import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { BuildFailure } from '#core/imagebuilder/build-output.ts';
import { buildRequestParser } from '#core/request/parse-build-request.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { fittingImages } from './fitting-images.ts';
import { OUTPUT_LIMITS } from './output/output-limits.ts';

it('the clean-up between two runs is bounded as reading is: a build that is stopped meanwhile makes no further run', async () => {
  const tree = await temporaryDirectory();
  const stop = new AbortController();
  let runs = 0;
  const making = fittingImages({
    request: buildRequestParser()({ version: '24.10.2', target: 'x86/64', profile: 'generic' }),
    profileIds: ['generic'],
    tree,
    uid: undefined,
    imagebuilder: 'openwrt-imagebuilder.tar.zst',
    binDir: 'bin',
    destination: join(tree, 'destination'),
    prepared: { config: 'CONFIG_TARGET_ROOTFS_EXT4FS=y\n', imageFilesystems: ['ext4', 'squashfs'] },
    limits: OUTPUT_LIMITS,
    signal: stop.signal,
    log: (line) => {
      if (line.includes('does not fit')) stop.abort(new Error('the runner stops'));
    },
    makeImage: async () => {
      runs += 1;
      await mkdir(join(tree, 'bin'), { recursive: true });
      await writeFile(join(tree, 'bin', 'partial-ext4.img'), 'partial');
      return { end: 'exit', exitCode: 2, stdout: '', stderr: '', durationMs: 1 };
    },
    failureOf: () =>
      new BuildFailure('too big', {
        errors: [{ code: 'image_too_big', part: 'rootfs', image: 'openwrt-x86-64-generic-ext4-combined.img.gz', message: 'too big' }],
      }),
    measureRoot: () => Promise.reject(new Error('no root file system was made')),
  });
  await expect(making).rejects.toThrow('the runner stops');
  expect(runs).toBe(1);
  expect(await readdir(join(tree, 'bin'))).toEqual(['partial-ext4.img']);
});
