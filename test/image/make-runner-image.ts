import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { bundleRunner } from '../../bundles/bundle-runner.ts';
import { docker } from './docker.ts';

const run = promisify(execFile);

/** The name of the image under test. */
export const RUNNER_IMAGE = 'asu-runner';
const BASE_IMAGE = 'runner-base:1';

/** Options that leave documentation out, as Debian's slim images do, and that skip fsync. */
const DPKG_OPTIONS = [
  ...['doc', 'man', 'locale'].map((name) => `path-exclude=/usr/share/${name}/*`),
  'path-include=/usr/share/doc/*/copyright',
  'force-unsafe-io',
];

/**
 * Makes the runner's image as docs/aws.md says where no registry can be reached: a Debian with the Containerfile's packages, imported
 * as its base, and a build without network.
 */
export async function makeRunnerImage(daemonDirectory: string, scratch: string): Promise<void> {
  const context = join(scratch, 'context');
  const rootfs = join(scratch, 'base.tar');
  await bundleRunner(context);
  const packages = /^ARG PACKAGES="(.*)"$/m.exec(await readFile(join(context, 'Containerfile'), 'utf8'))?.[1]?.replaceAll(' ', ',');
  if (packages === undefined) throw new Error('runner/Containerfile names no PACKAGES');
  const dpkgOptions = DPKG_OPTIONS.map((option) => `--dpkgopt=${option}`);
  const debootstrap = ['--quiet', '--mode=root', '--variant=minbase', ...dpkgOptions, `--include=${packages}`, 'bookworm', rootfs];
  await run('mmdebstrap', debootstrap, { maxBuffer: 64 * 1024 * 1024 }).catch((cause: unknown) => {
    throw new Error('mmdebstrap could not make a Debian for the image to start from', { cause });
  });
  await docker(daemonDirectory, 'import', rootfs, BASE_IMAGE);
  await rm(rootfs);
  const options = ['--file', join(context, 'Containerfile'), '--build-arg', `BASE=${BASE_IMAGE}`, '--network=none'];
  await docker(daemonDirectory, 'build', ...options, '--tag', RUNNER_IMAGE, context);
}
