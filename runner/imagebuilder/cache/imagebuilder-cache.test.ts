import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { removeTree } from '#runner/files/remove-tree.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { HOUR, wallClock } from '#test/support/wall-clock.ts';
import { imagebuilderCache } from './imagebuilder-cache.ts';

let directory: string;
beforeEach(async () => {
  directory = await temporaryDirectory();
});

const never = new AbortController().signal;
const digest = (letter: string) => letter.repeat(64);

const cacheOf = (maxBytes: number) => imagebuilderCache(directory, maxBytes, { remove: removeTree });

const filler = (bytes = 10) => {
  const calls = { count: 0 };
  return {
    calls,
    fill: async (tree: string) => {
      calls.count++;
      await writeFile(join(tree, 'Makefile'), 'all:\n');
      return { bytes, facts: { made: calls.count } };
    },
  };
};

describe('imagebuilderCache', () => {
  it('fills once and remembers, even in another instance', async () => {
    const { calls, fill } = filler();
    const first = await cacheOf(100).use(digest('a'), fill, never, async (cached) => cached.facts);
    const second = await cacheOf(100).use(digest('a'), fill, never, async (cached) => readFile(join(cached.tree, 'Makefile'), 'utf8'));
    expect(first).toEqual({ made: 1 });
    expect(second).toBe('all:\n');
    expect(calls.count).toBe(1);
  });

  it('makes twenty concurrent builds wait for one fill', async () => {
    const cache = cacheOf(100);
    const { calls, fill } = filler();
    const facts = await Promise.all(Array.from({ length: 20 }, () => cache.use(digest('a'), fill, never, async (cached) => cached.facts)));
    expect(new Set(facts.map((fact) => JSON.stringify(fact)))).toEqual(new Set(['{"made":1}']));
    expect(calls.count).toBe(1);
  });

  it('forgets a failed fill, and leaves nothing of it', async () => {
    const cache = cacheOf(100);
    const failing = async (tree: string) => {
      await writeFile(join(tree, 'half'), 'half');
      throw new Error('cut off');
    };
    await expect(cache.use(digest('a'), failing, never, async () => undefined)).rejects.toThrow('cut off');
    expect(await readdir(directory)).toEqual([]);
    await expect(cache.use(digest('a'), filler().fill, never, async () => 'made')).resolves.toBe('made');
  });

  it('goes on filling when one of the waiting builds gives up, and stops when all have', async () => {
    const cache = cacheOf(100);
    const leaving = new AbortController();
    const gate = Promise.withResolvers<void>();
    const slow = async (tree: string) => {
      await gate.promise;
      await writeFile(join(tree, 'Makefile'), '');
      return { bytes: 1, facts: null };
    };
    const one = cache.use(digest('a'), slow, leaving.signal, async () => 'one');
    const two = cache.use(digest('a'), slow, never, async () => 'two');
    leaving.abort(new Error('left'));
    await expect(one).rejects.toThrow('left');
    gate.resolve();
    await expect(two).resolves.toBe('two');

    const last = new AbortController();
    const stopped = cache.use(
      digest('b'),
      (_, signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      last.signal,
      async () => 'never',
    );
    setTimeout(() => last.abort(new Error('left too')), 10);
    await expect(stopped).rejects.toThrow('left too');
    expect((await readdir(directory)).sort()).toEqual([digest('a')]);
  });

  it('drops the least recently used entries beyond its limit, but none in use', async () => {
    const cache = cacheOf(25);
    await cache.use(digest('a'), filler().fill, never, async () => undefined);
    await new Promise((resolve) => setTimeout(resolve, 10));
    await cache.use(digest('b'), filler().fill, never, async () => undefined);
    await new Promise((resolve) => setTimeout(resolve, 10));
    await cache.use(digest('a'), filler().fill, never, async () => undefined);
    await new Promise((resolve) => setTimeout(resolve, 10));
    await cache.use(digest('c'), filler().fill, never, async () => undefined);
    expect((await readdir(directory)).sort()).toEqual([digest('a'), digest('c')]);

    await cache.use(digest('a'), filler().fill, never, async () => {
      await cache.use(digest('d'), filler().fill, never, async () => undefined);
      await cache.use(digest('e'), filler().fill, never, async () => undefined);
      expect(await readdir(directory)).toContain(digest('a'));
    });
  });

  it('shares its limit with what others take of it', async () => {
    let taken = 0;
    const cache = imagebuilderCache(directory, 25, { remove: removeTree }, { taken: async () => taken });
    for (const name of ['a', 'b']) await cache.use(digest(name), filler().fill, never, async () => undefined);
    expect(await readdir(directory)).toHaveLength(2);
    taken = 10;
    await cache.makeRoom(0);
    expect(await readdir(directory)).toHaveLength(1);
    taken = 20;
    await cache.makeRoom(0);
    expect(await readdir(directory)).toEqual([]);
  });

  it('gives up what is spare before any ImageBuilder', async () => {
    let spare = 10;
    const drop = async () => {
      spare = 0;
    };
    const cache = imagebuilderCache(directory, 25, { remove: removeTree }, { spare: { bytes: () => spare, drop } });
    await cache.use(digest('a'), filler().fill, never, async () => undefined);
    expect(await cache.room()).toBe(5);
    await cache.makeRoom(5);
    expect(spare).toBe(10);
    await cache.use(digest('b'), filler().fill, never, async () => undefined);
    expect(spare).toBe(0);
    expect((await readdir(directory)).sort()).toEqual([digest('a'), digest('b')]);
    expect(await cache.room()).toBe(5);
  });

  it('fills again for a build that asks while the ImageBuilder is being removed', async () => {
    const begun = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const slowly = async (path: string) => {
      if (path.includes('discarded')) {
        begun.resolve();
        await gate.promise;
      }
      await removeTree(path);
    };
    const cache = imagebuilderCache(directory, 15, { remove: slowly });
    const { calls, fill } = filler();
    await cache.use(digest('a'), fill, never, async () => undefined);
    const removal = cache.makeRoom(10);
    await begun.promise;
    const used = cache.use(digest('a'), fill, never, async (cached) => readFile(join(cached.tree, 'Makefile'), 'utf8'));
    gate.resolve();
    await removal;
    expect(await used).toBe('all:\n');
    expect(calls.count).toBe(2);
  });

  it('keeps the order of uses even when the clock is set back between them', async () => {
    const clock = wallClock();
    try {
      const cache = cacheOf(25);
      for (const name of ['a', 'b']) await cache.use(digest(name), filler().fill, never, async () => undefined);
      clock.step(-HOUR);
      await cache.use(digest('a'), filler().fill, never, async () => undefined);
      await cache.use(digest('c'), filler().fill, never, async () => undefined);
      expect((await readdir(directory)).sort()).toEqual([digest('a'), digest('c')]);
    } finally {
      clock.restore();
    }
  });

  it('removes what a killed process left, and ignores an entry without facts', async () => {
    await mkdir(join(directory, 'unfinished.999999999.abcdef01', 'tree'), { recursive: true });
    await mkdir(join(directory, digest('a'), 'tree'), { recursive: true });
    const cache = cacheOf(100);
    await cache.sweep();
    expect(await readdir(directory)).toEqual([digest('a')]);
    expect(await cache.has(digest('a'))).toBe(false);
    await expect(cache.use(digest('a'), filler().fill, never, async (cached) => cached.facts)).resolves.toEqual({ made: 1 });
  });
});
