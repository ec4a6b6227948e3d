import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import * as localStackLane from '../localstack/global-setup.ts';
import { startDockerDaemon } from './docker-daemon.ts';
import { installPackages } from './install-packages.ts';
import { makeRunnerImage } from './make-runner-image.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The address of this lane's Docker daemon, which has the runner's image. */
    dockerDirectory: string;
  }
}

const NEEDED = 'The lane image runs a Docker daemon of its own. It needs Linux on x86_64, root, and a Debian with apt-get.';

const closers: (() => Promise<unknown>)[] = [];

/**
 * A Docker daemon for this lane with the runner's image, made from nothing but Debian packages, and a LocalStack for the runner's
 * state. Named exports are what vitest calls.
 */
export async function setup(project: TestProject): Promise<void> {
  if (process.platform !== 'linux' || process.arch !== 'x64') throw new Error(`${NEEDED} This is ${process.platform} on ${process.arch}.`);
  if (process.getuid?.() !== 0) throw new Error(`${NEEDED} This is not root.`);
  const starting = [makeImage(project), startLocalStack(project)];
  try {
    await Promise.all(starting);
  } catch (error) {
    await Promise.allSettled(starting);
    await teardown();
    throw error;
  }
}

async function makeImage(project: TestProject): Promise<void> {
  await installPackages({ 'docker.io': 'dockerd', mmdebstrap: 'mmdebstrap' });
  const scratch = await mkdtemp(join(tmpdir(), 'asu-image-'));
  closers.push(() => rm(scratch, { recursive: true, force: true }));
  const directory = join(scratch, 'docker');
  closers.push((await startDockerDaemon(directory)).stop);
  await makeRunnerImage(directory, scratch);
  project.provide('dockerDirectory', directory);
}

async function startLocalStack(project: TestProject): Promise<void> {
  closers.push(localStackLane.teardown);
  await localStackLane.setup(project);
}

export async function teardown(): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close();
}
