import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { FILESYSTEMS } from '#core/request/build-request.ts';
import { BuildFailure } from './build-output.ts';
import { onlyFilesystem, parseDotConfig, rootfsPartsizeMb, withoutFilesystems } from './dot-config.ts';

const fixture = (name: string) => readFile(new URL(`./fixtures/config.${name}.txt`, import.meta.url), 'utf8');

describe('parseDotConfig', () => {
  it('reads a real .config of an ImageBuilder with opkg', async () => {
    expect(parseDotConfig(await fixture('24.10.2'))).toEqual({
      filesystems: ['squashfs', 'ext4', 'targz'],
      usesApk: false,
      checksSignatures: true,
      archPackages: 'x86_64',
      version: '24.10.2',
      versionCode: 'r28739-d9340319c6',
    });
  });

  it('reads a real .config of an ImageBuilder with apk', async () => {
    expect(parseDotConfig(await fixture('25.12.0'))).toMatchObject({ usesApk: true, checksSignatures: true, version: '25.12.0' });
  });

  it('accepts absent values', () => {
    expect(parseDotConfig('CONFIG_VERSION_NUMBER=""\n')).toEqual({ filesystems: [], usesApk: false, checksSignatures: false });
  });

  it('knows every filesystem that a client can request', () => {
    const symbols = ['SQUASHFS', 'EXT4FS', 'UBIFS', 'EROFS', 'JFFS2', 'JFFS2_NAND', 'TARGZ', 'CPIOGZ', 'INITRAMFS'];
    const { filesystems } = parseDotConfig(symbols.map((symbol) => `CONFIG_TARGET_ROOTFS_${symbol}=y`).join('\n'));
    expect(filesystems.toSorted()).toEqual([...FILESYSTEMS].sort());
  });
});

describe('onlyFilesystem', () => {
  it.each(['24.10.2', '25.12.0'])('switches the others off and nothing else: %s', async (name) => {
    const text = await fixture(name);
    const edited = onlyFilesystem(text, 'squashfs');
    expect(parseDotConfig(edited)).toEqual({ ...parseDotConfig(text), filesystems: ['squashfs'] });
    const changed = edited.split('\n').filter((line, i) => line !== text.split('\n')[i]);
    expect(changed.toSorted()).toEqual(['# CONFIG_TARGET_ROOTFS_EXT4FS is not set', '# CONFIG_TARGET_ROOTFS_TARGZ is not set']);
    expect(onlyFilesystem(edited, 'squashfs')).toBe(edited);
  });

  it('lists the available filesystems when the requested one is missing', async () => {
    const text = await fixture('24.10.2');
    expect(() => onlyFilesystem(text, 'ubifs')).toThrow(BuildFailure);
    expect(() => onlyFilesystem(text, 'ubifs')).toThrow('Unsupported filesystem: ubifs. Available: squashfs, ext4, targz');
  });
});

describe('file systems that are left out', () => {
  it('are switched off, and nothing else is', async () => {
    const text = await fixture('24.10.2');
    const kept = withoutFilesystems(text, ['ext4']);
    expect(parseDotConfig(kept).filesystems).toEqual(['squashfs', 'targz']);
    expect(kept.split('\n').filter((line) => !text.includes(line))).toEqual(['# CONFIG_TARGET_ROOTFS_EXT4FS is not set']);
  });
});

it('reads the size of the partition', async () => {
  expect(rootfsPartsizeMb(await fixture('24.10.2'))).toBe(104);
  expect(rootfsPartsizeMb('CONFIG_X=y\n')).toBeUndefined();
});
