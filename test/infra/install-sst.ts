import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../../bundles/esbuild-options.ts';
import manifest from '../../package.json' with { type: 'json' };

/** The directory where `sst install` puts SST's components. */
export const PLATFORM = join(ROOT, '.sst', 'platform');

/** A stub for Pulumi. SST only runs `pulumi version` here, since types and tests do not need Pulumi itself. */
const PULUMI_STUB = '#!/bin/sh\necho v3.215.0\n';

/** The file that marks a complete installation. Without it, an interrupted installation starts from scratch. */
const DONE = join(PLATFORM, 'installed-for-tests');

/**
 * Runs `sst install` once per version, which downloads SST's components and providers from npm into `.sst`. This is not
 * enough for a deployment.
 */
export async function installSst(): Promise<void> {
  if ((await readFile(DONE, 'utf8').catch(() => undefined)) === manifest.devDependencies.sst) return;
  const home = await mkdtemp(join(tmpdir(), 'sst-home-'));
  try {
    const bin = join(home, 'sst', 'bin');
    await mkdir(bin, { recursive: true });
    await writeFile(join(bin, 'pulumi'), PULUMI_STUB);
    await chmod(join(bin, 'pulumi'), 0o755);
    // `env` keeps the rest of the environment, since npm has to know its registry.
    const settings = [`XDG_CONFIG_HOME=${home}`, 'NO_BUN=1', 'SST_NO_BUN=1', 'SST_STAGE=ci', 'SST_TELEMETRY_DISABLED=1'];
    await promisify(execFile)('env', [...settings, join(ROOT, 'node_modules', '.bin', 'sst'), 'install'], { cwd: ROOT });
    await writeFile(DONE, manifest.devDependencies.sst);
  } finally {
    await rm(home, { recursive: true });
  }
}
