import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, onTestFinished, TestRunner } from 'vitest';

/** Directories that were made outside of a test, in `beforeAll` or when the file was read. */
const ofFile: string[] = [];

// Hooks run from the last registered to the first: everything that uses a directory of the file has ended by then.
afterAll(() => Promise.all(ofFile.map(remove)));

/**
 * A new empty directory. It is removed after the test that asked for it, and one that `beforeAll` or the file itself asked for after
 * the last test of the file, whether the tests pass or fail.
 */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'asu-test-'));
  if (TestRunner.getCurrentTest() === undefined) ofFile.push(directory);
  else onTestFinished(() => remove(directory));
  return directory;
}

const remove = (directory: string): Promise<void> => rm(directory, { recursive: true, force: true, maxRetries: 3 });
