import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { BuildFailure, type BuildOutput, InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import { editImagebuilder } from '#demo/upstream/altered-imagebuilder.ts';
import { alteredUpstream } from '#test/support/altered-upstream.ts';
import { buildOnce } from './testing/build-once.ts';

const { directory, upstream } = await alteredUpstream();

/** With 200 MiB the demo's ext4 exceeds the partition of 104 MiB and its squashfs, of 80 MiB, does not. */
const tooBigForExt4 = () =>
  editImagebuilder(upstream, {
    'scripts/build-image.sh': (text) =>
      text
        .replace('\nread_facts\n', '\nread_facts\nbytes=$((200 * 1024 * 1024))\n')
        // A tool that stops while it writes leaves such files.
        .replace(
          'exit 1\n\t\tfi\n\t\tsh',
          'head -c 1000 /dev/zero > "$BIN_DIR/$prefix-ext4-combined.img.gz"; : > "$BIN_DIR/$prefix-ext4-rootfs.img.gz"; exit 1\n\t\tfi\n\t\tsh',
        ),
  });

const made = async (request = {}): Promise<BuildOutput> => {
  const output = await buildOnce(upstream.url, directory, request);
  if (output instanceof Error) throw output;
  return output;
};

describe('a root file system that does not fit, where the request asked for none', () => {
  it('is left out with a warning, and the others are delivered whole', async () => {
    await tooBigForExt4();
    const output = await made();
    const images = output.profile.images.map(({ name }) => name);
    expect(images.filter((name) => name.includes('ext4'))).toEqual([]);
    expect(images.filter((name) => name.includes('-squashfs-'))).toHaveLength(3);

    const names = output.files.map(({ name }) => name);
    expect(names.filter((name) => name.includes('ext4'))).toEqual([]);
    expect(output.files.every(({ size }) => size > 0)).toBe(true);
    const listed = await readFile(output.files.find(({ name }) => name === 'sha256sums')?.path ?? '', 'utf8');
    for (const { name, sha256 } of output.files) if (name !== 'sha256sums') expect(listed).toContain(`${sha256} *${name}`);
    expect(JSON.parse(await readFile(output.files.find(({ name }) => name === 'profiles.json')?.path ?? '', 'utf8'))).toMatchObject({
      profiles: { generic: { images: expect.arrayContaining([expect.objectContaining({ filesystem: 'squashfs' })]) } },
    });

    const [warning] = output.warnings ?? [];
    expect(output.warnings).toHaveLength(1);
    expect(warning).toMatchObject({ code: 'images_left_out', severity: 'strong' });
    for (const end of ['combined', 'combined-efi', 'rootfs'])
      expect(warning?.detail).toContain(images.find((name) => name.endsWith(`-squashfs-${end}.img.gz`))?.replace('squashfs', 'ext4'));
    expect(warning?.detail).toMatch(/^ext4 does not fit: .*rootfs_size_mb/);
    expect(output.reproduce).toContain('CONFIG_TARGET_ROOTFS_EXT4FS is not set');
    await output.dispose();

    const size = Number(/a rootfs_size_mb of (\d+) is enough/.exec(warning?.detail ?? '')?.[1]);
    const whole = await made({ rootfs_size_mb: size });
    expect(whole.warnings).toBeUndefined();
    expect(whole.profile.images.filter(({ filesystem }) => filesystem === 'ext4')).toHaveLength(3);
    await whole.dispose();
  });

  it('fails the build where no other fits either, which says the size that works', async () => {
    const failure = await buildOnce(upstream.url, directory, { packages: ['huge'] });
    expect(failure).toBeInstanceOf(BuildFailure);
    const { message, evidence } = failure as BuildFailure;
    expect(message).toMatch(/^Selected packages exceed device storage: /);
    expect(evidence.errors?.map(({ code }) => code)).toEqual(['image_too_big', 'image_too_big', 'image_too_big']);
    const size = Number(/a rootfs_size_mb of (\d+) is enough$/.exec(message)?.[1]);
    const output = await made({ packages: ['huge'], rootfs_size_mb: size });
    expect(output.warnings).toBeUndefined();
    await output.dispose();
  });
});

describe('a root file system that does not fit', () => {
  it('fails the build that asked for it, which says the size that works', async () => {
    await tooBigForExt4();
    const failure = await buildOnce(upstream.url, directory, { filesystem: 'ext4' });
    expect(failure).toBeInstanceOf(BuildFailure);
    expect(failure).toMatchObject({ message: expect.stringMatching(/; a rootfs_size_mb of 2\d\d is enough$/) });
  });

  it('fails it without advice if the request gave a size', async () => {
    await tooBigForExt4();
    const failure = await buildOnce(upstream.url, directory, { filesystem: 'ext4', rootfs_size_mb: 64 });
    expect(failure).toBeInstanceOf(BuildFailure);
    expect(failure).toMatchObject({ message: expect.not.stringContaining('is enough') });
  });

  it('fails it without advice where the files of the root cannot be measured', async () => {
    await editImagebuilder(upstream, {
      'scripts/build-image.sh': (text) =>
        text
          .replace('\nread_facts\n', '\nread_facts\nbytes=$((200 * 1024 * 1024))\n')
          .replace('exit 1\n\t\tfi\n\t\tsh', 'rm -rf "$TARGET_DIR"; exit 1\n\t\tfi\n\t\tsh'),
    });
    const failure = await buildOnce(upstream.url, directory, { filesystem: 'ext4' });
    expect(failure).toMatchObject({ message: expect.stringMatching(/^Selected packages exceed device storage: .*\(rootfs_size_mb\)$/) });
  });

  it('fails the build for good where a script has put a directory in the place of .config', async () => {
    await editImagebuilder(upstream, {
      'scripts/build-image.sh': (text) =>
        text
          .replace('\nread_facts\n', '\nread_facts\nbytes=$((200 * 1024 * 1024))\n')
          .replace(
            'exit 1\n\t\tfi\n\t\tsh',
            'cd "$TARGET_DIR/../../.."; rm -f .config; mkdir .config; : > .config/x; exit 1\n\t\tfi\n\t\tsh',
          ),
    });
    const failure = await buildOnce(upstream.url, directory);
    expect(failure).toBeInstanceOf(BuildFailure);
    expect(failure).toMatchObject({ message: expect.stringContaining('.config') });
  });

  it('is not left out when something else fails, too', async () => {
    await editImagebuilder(upstream, {
      'scripts/build-image.sh': (text) =>
        text.replace(
          '# --- images ---',
          `echo "error: ext4_allocate_best_fit_partial: failed to allocate 9 blocks, out of space?" >&2; echo "cp: write error: No space left on device" >&2; exit 1\n# --- images ---`,
        ),
    });
    expect(await buildOnce(upstream.url, directory)).toBeInstanceOf(InfrastructureFailure);
  });
});
