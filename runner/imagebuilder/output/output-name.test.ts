import { expect, it } from 'vitest';
import { isOutputName } from './output-name.ts';

const OTHER = 'otherwrt-imagebuilder-24.10.2-x86-64.Linux-x86_64.tar.zst';

it('images have the name of the distribution whose ImageBuilder made them', () => {
  const name = 'otherwrt-24.10.2-x86-64-generic-squashfs-combined.img.gz';
  expect(isOutputName(name, OTHER)).toBe(true);
  expect(isOutputName(name, 'openwrt-imagebuilder-24.10.2-x86-64.Linux-x86_64.tar.zst')).toBe(false);
  expect(isOutputName(name)).toBe(false);
  expect(isOutputName('openwrt-24.10.2-x86-64-generic-kernel.bin', OTHER)).toBe(true);
});

it.each(['thirdwrt-x.bin', 'otherwrt-../x', 'otherwrt-x\ny', 'otherwrt', `otherwrt-${'x'.repeat(255)}`])('%j is no image of it', (name) => {
  expect(isOutputName(name, OTHER)).toBe(false);
});
