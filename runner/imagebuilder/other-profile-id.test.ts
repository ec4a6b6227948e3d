import { describe, expect, it } from 'vitest';
import { BuildFailure } from '#core/imagebuilder/build-output.ts';
import type { BuildRequest } from '#core/request/build-request.ts';
import { editImagebuilder } from '#demo/upstream/altered-imagebuilder.ts';
import { alteredUpstream } from '#test/support/altered-upstream.ts';
import { buildOnce } from './testing/build-once.ts';

const { directory, upstream } = await alteredUpstream();

/** Makes the ImageBuilder call the profile `maker_board`, and support the devices; in its own results it is `written`. */
const callItDifferently = (devices: string, written: string) =>
  editImagebuilder(upstream, {
    '.targetinfo': (text) =>
      text
        .replace('Target-Profile: DEVICE_generic', 'Target-Profile: DEVICE_maker_board')
        .replace(/(Target-Profile: DEVICE_maker_board[\s\S]*?Target-Profile-SupportedDevices:).*/, `$1 ${devices}`),
    '.profiles.mk': (text) => text.replaceAll('generic', 'maker_board'),
    'scripts/profiles-json.sh': (text) => text.replace('-v id="$PROFILE_ID"', `-v id="${written}"`),
  });

const build = (supportedDevices: readonly string[] | undefined, request: Partial<BuildRequest> = {}) =>
  buildOnce(upstream.url, directory, { filesystem: 'squashfs', packages: ['vim'], ...request }, supportedDevices && { supportedDevices });

describe('a device that the ImageBuilder calls differently than upstream', () => {
  it.each(['generic', 'maker_board'])('is built, and found in results that call it %s', async (written) => {
    await callItDifferently('maker,board', written);
    const output = await build(['maker,board'], { packages_versions: { vim: '' } });
    if (output instanceof Error) throw output;
    expect(output.buildCommand).toContain('PROFILE=maker_board');
    expect(output.profile.images.length).toBeGreaterThan(0);
    expect(output.reproduce).toContain('PROFILE=maker_board');
    await output.dispose();
  });

  it.each([[['maker,other']], [undefined]])('is refused where its devices are not those of the ImageBuilder: %s', async (devices) => {
    await callItDifferently('maker,board', 'generic');
    const output = await build(devices);
    expect(output).toBeInstanceOf(BuildFailure);
    expect(String(output)).toContain('Unsupported profile: generic. The ImageBuilder does not know it');
  });
});
