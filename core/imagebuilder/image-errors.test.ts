import { describe, expect, it } from 'vitest';
import { analyseImageErrors } from './image-errors.ts';

describe('analyseImageErrors', () => {
  it('gives the sizes of an image that is too large for its device', () => {
    const warning =
      '\u001b[31m    WARNING: Image file /builder/build_dir/target-mips/linux/tmp/openwrt-x-sysupgrade.bin is too big: 24444932 > 16384000\u001b[m\n';
    expect(analyseImageErrors(warning)).toEqual({
      detail: 'Selected packages exceed device storage: openwrt-x-sysupgrade.bin has 24444932 bytes, the device takes 16384000',
      errors: [
        {
          code: 'image_too_big',
          image: 'openwrt-x-sysupgrade.bin',
          size: 24444932,
          limit: 16384000,
          message: 'openwrt-x-sysupgrade.bin has 24444932 bytes, the device takes 16384000',
        },
      ],
    });
  });

  it('recognises other texts for an image that is too large', () => {
    for (const text of ['kernel is too big', 'mkfs: whatever, out of space?'])
      expect(analyseImageErrors(text)).toMatchObject({ detail: expect.stringMatching(/^Selected packages exceed device storage/) });
  });

  it.each([
    ['[mktplinkfw] *** error: images are too big by 131072 bytes', { message: 'the images have 131072 bytes more than the device takes' }],
    [
      'tplink-safeloader: file-system partition too big (more than 7798784 bytes): Success',
      { limit: 7798784, message: 'the file-system partition of the device takes 7798784 bytes' },
    ],
    ['[mkdniimg] *** error: kernel image too big', { message: '[mkdniimg] *** error: kernel image too big' }],
    [
      'Error: max_leb_cnt too low (93 needed)',
      { part: 'rootfs', message: 'the UBIFS file system is too small (Error: max_leb_cnt too low (93 needed))' },
    ],
    ['Kernel size exceeds the limit: 4194304', { message: 'Kernel size exceeds the limit: 4194304' }],
  ])('knows the words of image tools: %s', (line, problem) => {
    expect(analyseImageErrors(`  MKIMAGE\n${line}\n`)).toEqual({
      detail: `Selected packages exceed device storage: ${problem.message}`,
      errors: [{ code: 'image_too_big', ...problem }],
    });
  });

  it('names the package whose script failed under opkg', () => {
    const failed = (status: number) => analyseImageErrors(` * pkg_run_script: package "foo" postinst script returned status ${status}.\n`);
    expect(failed(1)).toEqual({
      detail: 'Impossible package selection: the post-install script of foo failed with exit code 1',
      errors: [{ code: 'script_failed', packages: ['foo'], exit_code: 1, message: expect.stringContaining('foo') }],
    });
    expect(failed(137)).toBeUndefined();
  });

  it('reads both streams', () => {
    const stdout = 'Filesystem "ubifs" is not available!\nAvailable filesystems: squashfs ext4\n';
    expect(analyseImageErrors('make: *** [Makefile:381: image] Error 2', stdout)?.errors).toMatchObject([
      { code: 'filesystem_unavailable', filesystem: 'ubifs', available: ['squashfs', 'ext4'] },
    ]);
    expect(analyseImageErrors('', 'Profile "x" does not exist!\n')?.errors).toMatchObject([{ code: 'profile_missing', profile: 'x' }]);
  });

  it('names the package whose script failed', () => {
    const failed = (path: string, code = 1) => analyseImageErrors(`postinst script ${path} has failed with exit code ${code}\n`);
    expect(failed('./usr/lib/opkg/info/foo.postinst')?.errors).toMatchObject([{ code: 'script_failed', packages: ['foo'], exit_code: 1 }]);
    const apk = './lib/apk/db/foo-bar-1.0-r1.X13e5e20a9297d28b7bb2c1e9aaf53b90033c451cf.post-install';
    expect(failed(apk)?.errors).toMatchObject([{ packages: ['foo-bar'] }]);
    expect(failed('./usr/lib/opkg/info/foo.postinst', 137)).toBeUndefined();
  });

  it('finds nothing in other text', () => {
    expect(analyseImageErrors('Ignoring, exclude it (-e/-ef) to override.\n', 'Building images...\n')).toBeUndefined();
  });
});
