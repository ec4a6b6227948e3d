import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { temporaryDirectory } from './temporary-directory.ts';

describe('a temporary directory', () => {
  let ofFile: string;
  let ofTest: string;
  const earlier: string[] = [];
  beforeAll(async () => {
    ofFile = await temporaryDirectory();
  });
  beforeEach(async () => {
    ofTest = await temporaryDirectory();
  });
  afterEach(() => {
    expect(existsSync(ofTest)).toBe(true);
    earlier.push(ofTest);
  });
  afterAll(() => {
    expect(existsSync(ofFile)).toBe(true);
    expect(earlier.map(existsSync)).toEqual([false, false]);
  });

  it.each([1, 2])('exists during test %d and not after it', async () => {
    const own = await temporaryDirectory();
    await writeFile(join(own, 'file'), 'text');
    expect(existsSync(join(ofFile))).toBe(true);
    expect(earlier.map(existsSync)).toEqual(earlier.map(() => false));
    earlier.push(own);
    earlier.pop();
  });
});
