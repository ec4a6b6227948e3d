import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { BuildFailure, InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import { readingTime } from './output-limits.ts';

const forEver = (signal: AbortSignal) => sleep(2 ** 30, undefined, { signal });

describe('the time for reading what a build left', () => {
  it('ends a read that takes too long, as the machine’s fault, and starts no other', async () => {
    const time = readingTime({ readMs: 10 }, new AbortController().signal);
    const late = time.within(forEver);
    await expect(late).rejects.toThrow(InfrastructureFailure);
    await expect(late).rejects.toThrow('could not be read within 0 seconds');
    await expect(time.within(async () => 'read')).rejects.toThrow(InfrastructureFailure);
  });

  it('passes on results, errors, and the signal’s reason', async () => {
    const stop = new AbortController();
    const time = readingTime({ readMs: 60_000 }, stop.signal);
    expect(await time.within(async () => 'read')).toBe('read');
    await expect(time.within(() => Promise.reject(new BuildFailure('too much')))).rejects.toThrow('too much');
    const stopped = time.within(forEver);
    stop.abort(new Error('the runner stops'));
    await expect(stopped).rejects.toThrow('the runner stops');
  });
});
