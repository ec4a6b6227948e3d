import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { BuildFailure, InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { readBuiltProfile } from './built-profile.ts';

let directory: string;
beforeEach(async () => {
  directory = await temporaryDirectory();
});

async function read(text: string, images = ['openwrt-a.bin']) {
  const path = join(directory, 'profiles.json');
  await writeFile(path, text);
  const files = [
    ...images.map((name) => ({ name, path: '', size: 1, sha256: 'ours' })),
    { name: 'profiles.json', path, size: (await stat(path)).size, sha256: '' },
  ];
  return readBuiltProfile(directory, ['generic'], files);
}

describe('the profiles.json of a build', () => {
  it('describes what was built, with the digests of the bytes', async () => {
    const image = { name: 'openwrt-a.bin', type: 'combined', sha256: 'its own' };
    const gone = { ...image, name: 'openwrt-b.bin' };
    expect(await read(JSON.stringify({ target: 'x86/64', profiles: { generic: { images: [image, gone], titles: [] } } }))).toEqual({
      metadata: { target: 'x86/64' },
      profile: { images: [{ ...image, sha256: 'ours' }], titles: [] },
    });
    expect(await read('{"profiles":{"other":{}}}')).toBeUndefined();
    expect(await readBuiltProfile(directory, ['generic'], [])).toBeUndefined();
  });

  it('has its images in the order of their names, whatever order ImageBuilder found its own files in', async () => {
    const names = ['openwrt-b.img.gz', 'openwrt-c.img.gz', 'openwrt-B.img.gz', 'openwrt-a.img.gz'];
    const listed = async (order: readonly string[]) => {
      const images = order.map((name) => ({ name, type: 'combined' }));
      const built = await read(JSON.stringify({ profiles: { generic: { images } } }), names);
      return built?.profile.images.map(({ name }) => name);
    };
    const sorted = ['openwrt-B.img.gz', 'openwrt-a.img.gz', 'openwrt-b.img.gz', 'openwrt-c.img.gz'];
    expect(await listed(names)).toEqual(sorted);
    expect(await listed(names.toReversed())).toEqual(sorted);
  });

  it.each([
    ['nested too deeply', `{"x":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 'it is nested more than 32 deep'],
    ['cut off', '{"profiles":{', 'it is no JSON'],
    ['a list', '[]', 'it is no JSON object'],
  ])('is refused with the reason when it is %s', async (_, text, reason) => {
    const refused = read(text);
    await expect(refused).rejects.toThrow(InfrastructureFailure);
    await expect(refused).rejects.toThrow(`The profiles.json that the build left cannot be used: ${reason}`);
  });

  it('is the request’s fault when it has half a megabyte', async () => {
    await expect(read(`{"x":"${'a'.repeat(512 * 1024)}"}`)).rejects.toThrow(BuildFailure);
  });
});
