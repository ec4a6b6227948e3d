import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { disposal, type Leftover } from './disposal.ts';
import { dig } from './testing/dig.ts';

let directory: string;
let tree: string;
let leftovers: Leftover[];
beforeEach(async () => {
  directory = await temporaryDirectory();
  tree = join(directory, 'builds', 'build.1.abcdef01');
  await mkdir(tree, { recursive: true });
  leftovers = [];
});

const quarantine = () => join(directory, 'quarantine');
const disposalOf = (patience = () => new AbortController().signal) =>
  disposal({ quarantine: quarantine(), onLeftover: (leftover) => leftovers.push(leftover), patience });
const none = () => AbortSignal.abort();

describe('disposal', () => {
  it('removes trees and reports nothing', async () => {
    await dig(tree, 600);
    await disposalOf().remove(tree);
    await disposalOf().remove(join(directory, 'absent'));
    expect(await readdir(directory)).toEqual(['builds']);
    expect(leftovers).toEqual([]);
  });

  it('sets aside what it cannot remove in time, reports it once, and removes it at the next try', async () => {
    await writeFile(join(tree, 'file'), '');
    await disposalOf(none).remove(tree);
    expect(await readdir(join(directory, 'builds'))).toEqual([]);
    expect(await readdir(quarantine())).toHaveLength(1);
    expect((await stat(quarantine())).mode & 0o777).toBe(0o700);
    expect(leftovers).toEqual([{ path: tree, reason: 'it takes too long to remove', keptAt: expect.stringContaining(quarantine()) }]);

    expect(await disposalOf(none).retry()).toBe(1);
    expect(leftovers).toHaveLength(1);
    expect(await disposalOf().retry()).toBe(0);
    expect(await readdir(quarantine())).toEqual([]);
  });

  it('leaves in place, and reports, what it cannot even move', async () => {
    await writeFile(quarantine(), 'a file where the directory should be');
    await disposalOf(none).remove(tree);
    expect(leftovers).toEqual([{ path: tree, reason: expect.any(String), keptAt: tree }]);
    expect(await readdir(join(directory, 'builds'))).toHaveLength(1);
  });

  it('keeps trying by itself while the process lives, and reports what is still left', async () => {
    await writeFile(join(tree, 'file'), '');
    const patience = [none(), none(), none()];
    const stillLeft: number[] = [];
    const rubbish = disposal({
      quarantine: quarantine(),
      onLeftover: (leftover) => leftovers.push(leftover),
      onStillLeft: (count) => stillLeft.push(count),
      patience: () => patience.pop() ?? new AbortController().signal,
      firstPauseMs: 5,
    });
    await rubbish.remove(tree);
    await expect.poll(() => readdir(quarantine()), { timeout: 20_000 }).toEqual([]);
    expect(stillLeft).toEqual([1, 1]);
    expect(leftovers).toHaveLength(1);
  });

  it('makes a build wait only while too much is set aside', async () => {
    let tries = 0;
    const rubbish = disposalOf(() => {
      tries += 1;
      return none();
    });
    for (let at = 0; at < 17; at++) {
      await mkdir(join(directory, 'builds', `build.${at}`));
      await rubbish.relieve();
      await rubbish.remove(join(directory, 'builds', `build.${at}`));
    }
    expect(tries).toBe(17);
    await rubbish.relieve();
    expect(tries).toBe(18);
  });
});
