import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { BuildFailure, InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import { editImagebuilder } from '#demo/upstream/altered-imagebuilder.ts';
import { type DemoUpstreamServer, serveDemoUpstream } from '#demo/upstream/serve.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { availableSandboxes } from './sandbox/choose-sandbox.ts';
import { DEFAULT_LIMITS } from './sandbox/sandbox.ts';
import { buildOnce } from './testing/build-once.ts';

const directory = await temporaryDirectory();
await mkdir(join(directory, 'probe'));
const available = await availableSandboxes({ directory: join(directory, 'probe'), limits: DEFAULT_LIMITS, firstUid: 59_100 });

let upstream: DemoUpstreamServer;
beforeAll(async () => {
  upstream = await serveDemoUpstream();
});
afterAll(() => upstream.close());
afterEach(() => {
  upstream.restore();
  upstream.faults.clear();
});

describe.each(available.filter(({ allowsCustomRepositories }) => allowsCustomRepositories).slice(0, 1))(
  'a repository of the client ($level)',
  () => {
    const absent = (path: string) => ({
      packages: ['custom-hello'],
      repositories: { mine: `${upstream.url}/custom/${path}` },
      repositories_mode: 'append' as const,
      filesystem: 'squashfs' as const,
    });

    it.each([
      ['24.10.2', 'nothing-here'],
      ['25.12.0', 'nothing-here/packages.adb'],
    ])('that does not exist fails the build of %s for good', async (version, path) => {
      const made = await buildOnce(upstream.url, directory, { version, ...absent(path) });
      expect(made).toBeInstanceOf(BuildFailure);
      expect(made).toMatchObject({
        message: expect.stringMatching(/repository mine \(.*\) was left out: its server has no package index there \(HTTP 404\)$/),
        evidence: {
          errors: [
            { code: 'package_missing', packages: ['custom-hello'] },
            { code: 'repository_not_found', repository: 'mine' },
          ],
        },
      });
    });

    it('whose server fails now is not the client’s fault', async () => {
      upstream.faults.add('/custom/', { kind: 'status', status: 503 });
      const made = await buildOnce(upstream.url, directory, absent('opkg'));
      expect(made).toBeInstanceOf(InfrastructureFailure);
      expect(made).toMatchObject({ message: expect.stringMatching(/^Could not download .*: HTTP 503$/) });
    });
  },
);

it('a package of upstream that is not what its index says is named', async () => {
  upstream.faults.add('/vim_', { kind: 'body', body: gzipSync('another package') });
  const made = await buildOnce(upstream.url, directory, { packages: ['vim'], filesystem: 'squashfs' });
  expect(made).toBeInstanceOf(InfrastructureFailure);
  expect(made).toMatchObject({
    message: expect.stringMatching(/^Could not download .*\/vim_[^/]*\.ipk: it is not what the package index says$/),
    evidence: { errors: [{ code: 'checksum_mismatch' }] },
  });
});

it('an index of upstream that is signed wrongly is named', async () => {
  const signature = await (await fetch(`${upstream.url}/releases/24.10.2/packages/x86_64/luci/Packages.sig`)).text();
  upstream.overlay('/releases/24.10.2/packages/x86_64/base/Packages.sig', signature);
  const made = await buildOnce(upstream.url, directory, { packages: ['vim'], filesystem: 'squashfs' });
  expect(made).toBeInstanceOf(InfrastructureFailure);
  expect(made).toMatchObject({ evidence: { errors: [{ code: 'signature_invalid', url: expect.stringContaining('/base/Packages') }] } });
});

it('a package whose files opkg could not write fails the build for good, although make ends well', async () => {
  const lines = ['Collected errors:', ' * wfopen: $TARGET_DIR/usr/share/x/y: No such file or directory.'];
  const print = lines.map((line) => `echo "${line}" >&2`).join('\n');
  await editImagebuilder(upstream, { 'scripts/prepare-rootfs.sh': (text) => text.replace('\n', `\n${print}\n`) });
  const made = await buildOnce(upstream.url, directory, { filesystem: 'squashfs' });
  expect(made).toBeInstanceOf(BuildFailure);
  expect(made).toMatchObject({ evidence: { errors: [{ code: 'files_missing', files: ['/usr/share/x/y'] }] } });
});
