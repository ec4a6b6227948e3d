import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { measureRoot } from './installed-packages.ts';

const tree = await temporaryDirectory();
await mkdir(join(tree, 'build_dir/target-x/root-x'), { recursive: true });

describe('measureRoot', () => {
  it('throws the reason of a signal that aborts meanwhile', async () => {
    const abort = new AbortController();
    const run = async (): Promise<never> => {
      abort.abort(new Error('shutting down'));
      throw new Error('du was ended');
    };
    await expect(measureRoot(tree, run, abort.signal)).rejects.toThrow('shutting down');
  });

  it('leaves out what du cannot measure', async () => {
    const run = () => Promise.reject(new Error('no such command'));
    expect(await measureRoot(tree, run, new AbortController().signal)).toEqual({ rootKb: undefined, rootFiles: undefined });
  });
});
