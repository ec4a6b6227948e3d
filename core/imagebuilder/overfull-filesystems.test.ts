import { describe, expect, it } from 'vitest';
import { imageErrorsOf } from './image-errors.ts';
import { namesLeftOut, overfullFilesystems } from './overfull-filesystems.ts';
import { sufficientSize } from './sufficient-size.ts';

const EXT4 = 'error: ext4_allocate_best_fit_partial: failed to allocate 14111 blocks, out of space?';
const partition = {
  code: 'image_too_big',
  part: 'rootfs',
  setting: 'rootfs_size_mb',
  message: 'the root file system is too small (rootfs_size_mb)',
};
const image = (name: string) => ({ code: 'image_too_big', part: 'rootfs', image: name, message: `${name} is too big` });

describe('overfullFilesystems', () => {
  it.each([
    ['the words of make_ext4fs', [partition], [EXT4], ['ext4']],
    [
      'the words of mkfs.ubifs',
      [{ code: 'image_too_big', part: 'rootfs', message: 'x' }],
      ['Error: max_leb_cnt too low (93 needed)'],
      ['ubifs'],
    ],
    [
      'names of images',
      [image('openwrt-x86-64-generic-squashfs-combined.img.gz'), image('openwrt-x-ext4-y.bin')],
      [],
      ['squashfs', 'ext4'],
    ],
    ['a device with such a name', [image('openwrt-maker-ext4-box-jffs2-nand-2048k-factory.bin')], [], ['jffs2-nand']],
  ])('are read in %s', (_, problems, lines, expected) => {
    expect(overfullFilesystems(problems, lines)).toEqual(expected);
  });

  it.each([
    ['nothing', [], [EXT4]],
    ['a kernel', [{ code: 'image_too_big', message: 'kernel image too big' }], []],
    ['an image without a file system', [image('openwrt-x-kernel.bin')], []],
    [
      'an image that is too big for the flash of its device',
      imageErrorsOf(['    WARNING: Image file openwrt-x-squashfs-factory.img is too big: 20 > 10'])?.errors ?? [],
      [],
    ],
    ['anything else beside it', [partition, { code: 'package_missing' }], [EXT4]],
  ])('are none for %s', (_, problems, lines) => {
    expect(overfullFilesystems(problems, lines)).toBeUndefined();
  });
});

it('the images that were left out have the names of those that were made', () => {
  const made = [
    { name: 'a-squashfs-combined.img.gz', filesystem: 'squashfs' },
    { name: 'a-squashfs-rootfs.img.gz', filesystem: 'squashfs' },
    { name: 'a-kernel.bin' },
  ];
  expect(namesLeftOut(made, ['ext4'])).toEqual(['a-ext4-combined.img.gz', 'a-ext4-rootfs.img.gz']);
});

describe('sufficientSize', () => {
  const overflow = {
    code: 'image_too_big',
    setting: 'rootfs_size_mb',
    size: 300,
    limit: 100,
    message: 'x: its partition takes 100 (rootfs_size_mb)',
  };

  it('is the size of the file system and some room', () => {
    expect(sufficientSize({ partitionMb: 104, problems: [overflow], lines: [] })).toBe(312 + 16);
    expect(sufficientSize({ partitionMb: 104, problems: [partition], lines: [EXT4], rootKb: 300 * 1024 })).toBe(Math.ceil(300 * 1.05 + 12));
    expect(sufficientSize({ partitionMb: 104, problems: [partition], lines: [EXT4] })).toBeGreaterThan(104 + 55);
    expect(sufficientSize({ partitionMb: 104, problems: [partition], lines: [EXT4], rootFiles: 64 * 1000 })).toBeGreaterThan(1000);
  });

  it('is unknown where the device itself is too small', () => {
    const flash = { code: 'image_too_big', image: 'a-squashfs-sysupgrade.bin', size: 2, limit: 1, message: 'the device takes 1' };
    expect(sufficientSize({ partitionMb: 104, problems: [flash], lines: [] })).toBeUndefined();
    expect(sufficientSize({ partitionMb: 104, problems: [overflow, flash], lines: [] })).toBeUndefined();
  });

  it('is found in any number of lines', () => {
    const lines = [...Array.from({ length: 300_000 }, () => 'x'), EXT4];
    expect(sufficientSize({ partitionMb: 104, problems: [partition], lines })).toBeGreaterThan(104 + 55);
  });
});
