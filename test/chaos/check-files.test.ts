import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { checkFiles, UnansweredError } from './check-files.ts';
import { BIN_DIR } from './testing.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

const CONTENTS = {
  'a.img.gz': 'an image',
  'a.manifest': 'vim - 9.1-r1\nlibubox20240329 - 2024.03.29\n',
};
const SUMS = Object.entries(CONTENTS)
  .map(([name, text]) => `${sha256(text)} *${name}\n`)
  .join('');

/** A result and the files that it lists; `doctored` replaces contents after they were listed. */
function stored({ contents = { ...CONTENTS, sha256sums: SUMS }, doctored = {}, more = {} }: Partial<Stored> = {}) {
  const files = Object.entries(contents).map(([name, text]) => ({ name, size: text.length, sha256: sha256(text) }));
  const found: Record<string, string | undefined> = { ...contents, ...doctored };
  const body = { bin_dir: BIN_DIR, files, images: files.slice(0, 1), manifest: { vim: '9.1-r1', libubox: '2024.03.29' }, ...more };
  return checkFiles(async (path) => {
    const text = found[path.replace(`/store/${BIN_DIR}/`, '')];
    return { status: text === undefined ? 404 : 200, content: Buffer.from(text ?? '') };
  }, body);
}
interface Stored {
  readonly contents: Record<string, string>;
  readonly doctored: Record<string, string | undefined>;
  readonly more: Record<string, unknown>;
}

describe('the files of a result', () => {
  it('are taken as they were listed', async () => {
    expect(await stored()).toEqual({ files: 3, faults: [] });
  });

  it.each<[string, Partial<Stored>, string]>([
    ['a missing file', { doctored: { 'a.img.gz': undefined } }, 'cannot be read: 404'],
    ['a changed file', { doctored: { 'a.img.gz': 'an Image' } }, 'is not what the answer lists'],
    ['a shorter file', { doctored: { 'a.img.gz': 'an' } }, 'is not what the answer lists'],
    ['an image that is no file', { more: { images: [{ name: 'b.img.gz', sha256: sha256('') }] } }, 'is not among its files'],
    ['another sum', { contents: { ...CONTENTS, sha256sums: SUMS.replace(/^./gm, 'f') } }, 'sha256sums has another sum'],
    ['no sums', { contents: { ...CONTENTS, sha256sums: '' } }, 'there is no sha256sums'],
    ['another manifest', { more: { manifest: { vim: '9.1-r1', libubox: '2025.01.01' } } }, 'other packages than the answer'],
    ['a package more', { more: { manifest: { vim: '9.1-r1' } } }, 'other packages than the answer'],
    ['a package of another name', { more: { manifest: { vi: '9.1-r1', libubox: '2024.03.29' } } }, 'other packages than the answer'],
  ])('are refused: %s', async (_, doctored, fault) => {
    const { faults } = await stored(doctored);
    expect(faults.join('\n')).toContain(fault);
  });

  it('are not judged while the server does not answer', async () => {
    const down = checkFiles(
      async () => {
        throw new UnansweredError('down');
      },
      { bin_dir: BIN_DIR, files: [{ name: 'a', size: 1, sha256: sha256('a') }] },
    );
    await expect(down).rejects.toThrow(UnansweredError);
  });
});
