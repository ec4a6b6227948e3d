import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { diskArtifactStore } from '#adapters/disk/artifact-store.ts';
import { type BuildOutput, InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import type { BinDir } from '#core/request/request-hash.ts';
import type { ArtifactStore } from '#core/stores.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { artifactKeys } from './artifact-keys.ts';
import type { RunningBuild } from './build.ts';
import { uploadLog, uploadOutput } from './upload-output.ts';

let directory: string;
beforeEach(async () => {
  directory = await temporaryDirectory();
});

const binDir = 'b'.repeat(64) as BinDir;
const running = { binDir, isPrivate: false } as RunningBuild;
const never = new AbortController().signal;

async function outputOf(names: readonly string[]): Promise<BuildOutput> {
  for (const name of names) await writeFile(join(directory, name), name);
  const files = names.map((name) => ({ name, path: join(directory, name), size: name.length, sha256: '' }));
  return { files, logPath: join(directory, names[0] ?? '') } as unknown as BuildOutput;
}

/** Returns a clock that stands still until a test ends all waits. */
function stoppedClock() {
  const waits = new Map<() => void, number>();
  return {
    every: (ms: number, call: () => void) => {
      waits.set(call, ms);
      return () => waits.delete(call);
    },
    waits,
    pass: () => {
      for (const call of waits.keys()) call();
    },
  };
}

/** Returns a store in which the upload of a stuck file ends only when the caller gives up. */
function stuckStore(store: ArtifactStore, isStuck: (key: string) => boolean) {
  const begun = Promise.withResolvers<void>();
  let underWay = 0;
  const putFile: ArtifactStore['putFile'] = async (key, path, meta, signal) => {
    if (!isStuck(key)) return store.putFile(key, path, meta, signal);
    underWay += 1;
    begun.resolve();
    await new Promise((resolve) => signal?.addEventListener('abort', resolve));
    underWay -= 1;
    throw signal?.reason;
  };
  return { artifacts: { ...store, putFile }, begun: begun.promise, underWay: () => underWay };
}

it('files and log are stored, and no timer is left', async () => {
  const artifacts = diskArtifactStore(join(directory, 'store'));
  const clock = stoppedClock();
  await uploadOutput({ artifacts, every: clock.every, uploadSeconds: 60 }, running, await outputOf(['a', 'b']), never);
  expect(await artifacts.read(artifactKeys.file(binDir, 'b'))).toBe('b');
  expect(await artifacts.read(artifactKeys.log(binDir))).toBe('a');
  expect(clock.waits.size).toBe(0);
});

it.each([
  ['file', (key: string) => key.endsWith('/c')],
  ['log', (key: string) => key === artifactKeys.log(binDir)],
])('a store that takes a %s too slowly is at fault, and no upload is left in progress', async (_, isStuck) => {
  const { artifacts, begun, underWay } = stuckStore(diskArtifactStore(join(directory, 'store')), isStuck);
  const clock = stoppedClock();
  const uploading = uploadOutput(
    { artifacts, every: clock.every, uploadSeconds: 60 },
    running,
    await outputOf(['a', 'b', 'c', 'd']),
    never,
  );
  const failed = expect(uploading).rejects.toThrow(InfrastructureFailure);
  await begun;
  expect([...clock.waits.values()]).toEqual([60_000]);
  clock.pass();
  await failed;
  await expect(uploading).rejects.toThrow('could not be stored within 60 seconds');
  await expect(uploading).rejects.toMatchObject({ isFinal: false });
  expect(underWay()).toBe(0);
  expect(clock.waits.size).toBe(0);
});

it('an upload that is stopped fails with the reason', async () => {
  const { artifacts, begun } = stuckStore(diskArtifactStore(join(directory, 'store')), () => true);
  const stop = new AbortController();
  const uploading = uploadOutput({ artifacts, every: stoppedClock().every }, running, await outputOf(['a']), stop.signal);
  const failed = expect(uploading).rejects.toThrow('the runner stops');
  await begun;
  stop.abort(new Error('the runner stops'));
  await failed;
});

it('the upload of a failed build’s log also ends in time', async () => {
  const { artifacts, begun, underWay } = stuckStore(diskArtifactStore(join(directory, 'store')), () => true);
  const clock = stoppedClock();
  const { logPath = '' } = await outputOf(['a']);
  const failed = expect(uploadLog({ artifacts, every: clock.every }, running, logPath)).rejects.toThrow(InfrastructureFailure);
  await begun;
  clock.pass();
  await failed;
  expect(underWay()).toBe(0);
});
