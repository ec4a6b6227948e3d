import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, onTestFinished, TestRunner } from 'vitest';

/** The directories that were made outside a test: in `beforeAll` or while the test file loaded. */
const ofFile: string[] = [];

/** Removes the directories that the test file made outside a test. */
export const removeDirectoriesOfFile = (): Promise<unknown> => Promise.all(ofFile.splice(0).map(remove));

// Hooks run from the last registered to the first, so everything that uses these directories has ended by then.
afterAll(removeDirectoriesOfFile);

/**
 * Makes an empty directory and returns its path. The directory is removed after the test that made it, or after the
 * last test of the file if `beforeAll` or the file itself made it, whether the tests pass or fail.
 */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'asu-test-'));
  if (TestRunner.getCurrentTest() === undefined) ofFile.push(directory);
  else onTestFinished(() => remove(directory));
  return directory;
}

const remove = (directory: string): Promise<void> => rm(directory, { recursive: true, force: true, maxRetries: 3 });
