import { describe, expect, it } from 'vitest';
import { offersImages } from './images-offered.ts';

const initramfs = { filesystem: 'initramfs', name: 'openwrt-x-initramfs-kernel.bin', type: 'kernel', sha256: '' };
const profile = (raw: Record<string, unknown>) => ({ id: 'x', devicePackages: [], supportedDevices: [], raw });

describe('offersImages', () => {
  it.each([
    ['only an initramfs', [initramfs]],
    ['only an initramfs, as earlier versions list it', [{ name: 'openwrt-23.05.5-x-initramfs-uImage.itb', type: 'kernel' }]],
  ])('is false for a device with %s', (_, images) => {
    expect(offersImages(profile({ images }))).toBe(false);
  });

  it.each([
    ['an image', { images: [initramfs, { filesystem: 'squashfs', name: 'x-squashfs-sysupgrade.bin', type: 'sysupgrade' }] }],
    ['an image whose entry has no file system', { images: [{ name: 'x-kernel.bin', type: 'kernel' }] }],
    ['an entry that cannot be read', { images: [initramfs, 'x'] }],
    ['an empty list', { images: [] }],
    ['no list, as records of earlier versions may have it', {}],
    ['something else in its place', { images: 'x' }],
  ])('is true for a device with %s: the build decides', (_, raw) => {
    expect(offersImages(profile(raw))).toBe(true);
  });
});
