import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { SimulatedDisk } from '../image-maker.ts';

/** The files of image makers on a real disk, for stores that read them there. */
export interface WorkDirectory {
  readonly disk: SimulatedDisk;
  /** Returns the input of a call of a real `ArtifactStore`, with the path of a file where it is. */
  readonly realInput: (method: string, input: readonly unknown[]) => readonly unknown[];
}

/**
 * Returns a directory that has the files of the disk in memory. Its calls are synchronous: the maker's files are no
 * port, and simulated time would go on while the maker waits for a real disk.
 */
export const workDirectory = (directory: string, inMemory: SimulatedDisk): WorkDirectory => ({
  disk: {
    write: async (path, text) => {
      await inMemory.write(path, text);
      mkdirSync(dirname(join(directory, path)), { recursive: true });
      writeFileSync(join(directory, path), text);
    },
    remove: async (path) => {
      await inMemory.remove(path);
      rmSync(join(directory, path), { force: true });
    },
  },
  realInput: (method, [key, path, ...rest]) => [key, method === 'putFile' ? join(directory, String(path)) : path, ...rest],
});
