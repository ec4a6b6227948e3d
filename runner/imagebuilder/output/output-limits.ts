import { BuildFailure, InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import type { FileCount } from '#runner/files/take-files.ts';

/** What a build may leave in BIN_DIR, and how long looking at it may take. */
export interface OutputLimits {
  /** Whatever the entries of BIN_DIR are. Every file is named in the answer. */
  readonly files: number;
  /** All files together, holes included: they are hashed, stored and served as if they were full. One file alone may have them all. */
  readonly bytes: number;
  /** For hashing the files, and for looking into the images. */
  readonly readMs: number;
}

const GiB = 1024 ** 3;

/**
 * x86 with every kind of image of every file system comes to about a hundred files. Its raw images of a root file system of 1 GiB, two
 * at once and not packed, come to 2.6 GiB; OpenWrt packs them.
 */
export const OUTPUT_LIMITS: OutputLimits = { files: 512, bytes: 4 * GiB, readMs: 300_000 };

/** Much of it becomes part of the result document. A real one, of the one profile that was built, has some kilobytes. */
export const MAX_PROFILES_JSON_BYTES = 512 * 1024;

/** The failure of a build with a `profiles.json` of that many bytes. */
export const profilesTooLong = (size: number): BuildFailure =>
  new BuildFailure(`The profiles.json that the build left has ${size} bytes; it may have ${MAX_PROFILES_JSON_BYTES}`);

/** Counts what a build left; throws `BuildFailure` as soon as it is too much. The same request would leave as much again. */
export function outputCount({ files: maxFiles, bytes: maxBytes }: OutputLimits): FileCount {
  let entries = 0;
  let bytes = 0;
  return {
    addEntry: () => {
      entries += 1;
      if (entries > maxFiles) throw new BuildFailure(`The build left more than ${maxFiles} files`);
    },
    addFile: (name, size) => {
      if (name === 'profiles.json' && size > MAX_PROFILES_JSON_BYTES) throw profilesTooLong(size);
      bytes += size;
      if (size > maxBytes) throw new BuildFailure(`${name} has ${size} bytes; all files of a build may have ${maxBytes}`);
      if (bytes > maxBytes) throw new BuildFailure(`The files that the build left have more than ${maxBytes} bytes`);
    },
  };
}

/**
 * The time for reading a build's files. `within` ends what takes longer with an `InfrastructureFailure`: the machine is too slow, and
 * another attempt may find it faster. What `signal` ends is thrown as its reason.
 */
export function readingTime({ readMs }: Pick<OutputLimits, 'readMs'>, signal: AbortSignal) {
  const timeout = AbortSignal.timeout(readMs);
  const bounded = AbortSignal.any([signal, timeout]);
  return {
    async within<T>(read: (bounded: AbortSignal) => Promise<T>): Promise<T> {
      try {
        bounded.throwIfAborted();
        return await read(bounded);
      } catch (error) {
        signal.throwIfAborted();
        if (!timeout.aborted || error instanceof BuildFailure) throw error;
        throw new InfrastructureFailure(`The files of the build could not be read within ${Math.round(readMs / 1000)} seconds`, {
          cause: error,
        });
      }
    },
  };
}
