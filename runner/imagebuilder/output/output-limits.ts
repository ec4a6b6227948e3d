import { BuildFailure, InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import type { FileCount } from '#runner/files/take-files.ts';

/** The limits on what a build may leave in BIN_DIR, and on the time to read it. */
export interface OutputLimits {
  /** The number of entries of BIN_DIR of any kind. The answer names every file. */
  readonly files: number;
  /**
   * The size of all files together, or of one alone. Holes count, because files are hashed, stored and served as if
   * they had none.
   */
  readonly bytes: number;
  /** The time for hashing the files and for reading the images. */
  readonly readMs: number;
}

const GiB = 1024 ** 3;

/**
 * The default limits. x86 with every kind of image for every file system has about a hundred files. Two unpacked raw
 * images with a root file system of 1 GiB take 2.6 GiB; OpenWrt packs them.
 */
export const OUTPUT_LIMITS: OutputLimits = { files: 512, bytes: 4 * GiB, readMs: 300_000 };

/**
 * The limit on `profiles.json`, most of which goes into the result document. A real one, for the one profile that was
 * built, has a few kilobytes.
 */
export const MAX_PROFILES_JSON_BYTES = 512 * 1024;

/** Returns the failure of a build with a `profiles.json` of that many bytes. */
export const profilesTooLong = (size: number): BuildFailure =>
  new BuildFailure(`The profiles.json that the build left has ${size} bytes; it may have ${MAX_PROFILES_JSON_BYTES}`);

/**
 * Returns a counter of what a build left, which throws `BuildFailure` as soon as it is too much. The same request would
 * leave as much again.
 */
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
 * Returns the time limit for reading a build's files. `within` ends a longer read with an `InfrastructureFailure`: the
 * machine is too slow, and another attempt may find it faster. When `signal` aborts, it throws the signal's reason.
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
