import { expect, it } from 'vitest';
import { BuildFailure, InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import { editImagebuilder } from '#demo/upstream/altered-imagebuilder.ts';
import { alteredUpstream } from '#test/support/altered-upstream.ts';
import { buildOnce } from './testing/build-once.ts';

const { directory, upstream } = await alteredUpstream();

const MARK = '# --- images ---';

it('a device of which ImageBuilder makes no image fails for good', async () => {
  await editImagebuilder(upstream, { '.targetinfo': (text) => text.replaceAll(/^Target-Profile-Image: .*\n/gm, '') });
  const made = await buildOnce(upstream.url, directory);
  expect(made).toBeInstanceOf(BuildFailure);
  expect(made).toMatchObject({
    message: 'ImageBuilder made no image of this device and reported no error. See stdout/stderr',
    evidence: { errors: [{ code: 'no_images' }] },
  });
});

it.each([
  ['[mktplinkfw] *** error: images are too big by 131072 bytes', 'the images have 131072 bytes more than the device takes'],
  ['[mkdniimg] *** error: kernel image too big', '[mkdniimg] *** error: kernel image too big'],
])('a tool that says “%s” and leaves no image fails the build for good', async (line, message) => {
  const complain = `echo "${line}" >&2; exit 0\n`;
  await editImagebuilder(upstream, { 'scripts/build-image.sh': (text) => text.replace(MARK, `${complain}${MARK}`) });
  const made = await buildOnce(upstream.url, directory, { filesystem: 'squashfs' });
  expect(made).toBeInstanceOf(BuildFailure);
  expect(made).toMatchObject({ message: `Selected packages exceed device storage: ${message}` });
});

it('images whose list is missing are made again', async () => {
  await editImagebuilder(upstream, { 'scripts/profiles-json.sh': (text) => text.replace('[ -s', 'exit 0\n[ -s') });
  const made = await buildOnce(upstream.url, directory, { filesystem: 'squashfs' });
  expect(made).toBeInstanceOf(InfrastructureFailure);
  expect(made).toMatchObject({ message: 'No JSON file found' });
});

it('no image because the disk failed is tried again', async () => {
  const fail = `echo "cp: error writing '$KDIR_TMP/x': Input/output error" >&2; exit 0\n`;
  await editImagebuilder(upstream, { 'scripts/build-image.sh': (text) => text.replace(MARK, `${fail}${MARK}`) });
  const made = await buildOnce(upstream.url, directory, { filesystem: 'squashfs' });
  expect(made).toBeInstanceOf(InfrastructureFailure);
  expect(made).toMatchObject({ message: expect.stringContaining('the build machine failed to read or write a file') });
});
