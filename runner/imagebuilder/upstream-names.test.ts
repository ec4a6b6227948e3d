import { describe, expect, it } from 'vitest';
import type { BuildOutput } from '#core/imagebuilder/build-output.ts';
import type { BuildRequest } from '#core/request/build-request.ts';
import { editImagebuilder } from '#demo/upstream/altered-imagebuilder.ts';
import { alteredUpstream } from '#test/support/altered-upstream.ts';
import { buildOnce } from './testing/build-once.ts';

const { directory, upstream } = await alteredUpstream();

async function build(request: Partial<BuildRequest>): Promise<BuildOutput> {
  const made = await buildOnce(upstream.url, directory, { filesystem: 'squashfs', ...request });
  if (made instanceof Error) throw made;
  return made;
}

const PROFILE = 'Target-Profile-Packages: kmod-fs-vfat';
/** The name of a user of every machine, which a shell would replace by that user's home directory. */
const TILDE = '~root';

describe('a package of the device whose name begins with a tilde', () => {
  it.each([
    ['the whole list is given', { diff_packages: true, packages: ['base-files', 'busybox', 'libc', 'kernel'] }],
    ['packages are added', { packages: ['vim'] }],
  ])('is taken off the list by make itself, and no shell reads it: %s', async (_, request) => {
    await editImagebuilder(upstream, {
      '.targetinfo': (text) => text.replace(PROFILE, `${PROFILE} ${TILDE}`),
      '.profiles.mk': (text) => text.replace('PACKAGES_OF_generic := kmod-fs-vfat', `PACKAGES_OF_generic := kmod-fs-vfat ${TILDE}`),
      'scripts/install-packages.sh': (text) => text.replace('world="$1"', 'world="$1"; echo "The list: $1."'),
    });
    const output = await build(request);
    expect(output.packages).toContain(`-${TILDE}`);
    expect(output.warnings).toBeUndefined();
    const [, list] = /^The list: (.*)\.$/m.exec(output.stdout) ?? [];
    expect(list).toContain('base-files');
    expect(list).not.toMatch(/root|~/);
    expect(output.reproduce).toContain(`-${TILDE}`);
    await output.dispose();
  });
});

describe('a package of the device whose name has other characters', () => {
  it('cannot be removed, which a warning says', async () => {
    await editImagebuilder(upstream, { '.targetinfo': (text) => text.replace(PROFILE, `${PROFILE} odd=name~1 "quoted"`) });
    const output = await build({ diff_packages: true, packages: ['base-files', 'busybox', 'libc', 'kernel'] });
    expect(output.packages.join(' ')).not.toMatch(/odd|quoted/);
    expect(output.warnings).toEqual([
      {
        code: 'removal_left_out',
        severity: 'note',
        packages: ['"quoted"', 'odd=name~1'],
        detail:
          'ImageBuilder\'s own list has packages that could not be removed, because make would misread their names: "quoted", odd=name~1',
      },
    ]);
    await output.dispose();
  });
});
