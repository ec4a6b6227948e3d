import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../../bundles/esbuild-options.ts';
import manifest from '../../package.json' with { type: 'json' };

/** SST's components, as `sst install` puts them. */
export const PLATFORM = join(ROOT, '.sst', 'platform');

/** The Pulumi that SST asks for by running `pulumi version`: for types and tests its name is enough. */
const PULUMI_STUB = '#!/bin/sh\necho v3.215.0\n';

/** Written when everything is there; an install that was cut off is begun anew. */
const DONE = join(PLATFORM, 'installed-for-tests');

/** Has `sst install` put SST's components and providers into `.sst`, from npm alone; once per version. Not enough for deploying. */
export async function installSst(): Promise<void> {
  if ((await readFile(DONE, 'utf8').catch(() => undefined)) === manifest.devDependencies.sst) return;
  const home = await mkdtemp(join(tmpdir(), 'sst-home-'));
  try {
    const bin = join(home, 'sst', 'bin');
    await mkdir(bin, { recursive: true });
    await writeFile(join(bin, 'pulumi'), PULUMI_STUB);
    await chmod(join(bin, 'pulumi'), 0o755);
    // The command line sets the rest of the environment: npm has to know its registry.
    const settings = [`XDG_CONFIG_HOME=${home}`, 'NO_BUN=1', 'SST_NO_BUN=1', 'SST_STAGE=ci', 'SST_TELEMETRY_DISABLED=1'];
    await promisify(execFile)('env', [...settings, join(ROOT, 'node_modules', '.bin', 'sst'), 'install'], { cwd: ROOT });
    await writeFile(DONE, manifest.devDependencies.sst);
  } finally {
    await rm(home, { recursive: true });
  }
}
