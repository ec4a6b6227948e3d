import { createHash } from 'node:crypto';
import { basename, dirname } from 'node:path';

/** The variable in the environment of every process of a build. Its value identifies the build on this machine. */
export const MARKER = 'ASU_BUILD';

/**
 * Returns the marker of the build in `directory`. Builds can read it, so it does not reveal the path of the directory.
 */
export const markerOf = (directory: string): string => `${siteOf(dirname(directory))}.${basename(directory)}`;

/** Returns the prefix that the markers of all builds below one directory share. */
export const siteOf = (builds: string): string => createHash('sha256').update(builds).digest('hex').slice(0, 16);

/** Returns the marker in the text of a `/proc/<pid>/environ`. */
export const markerIn = (environ: string): string | undefined =>
  environ
    .split('\0')
    .find((entry) => entry.startsWith(`${MARKER}=`))
    ?.slice(MARKER.length + 1);

/** Returns the process id of the server that a marker names, or `undefined` when it names none. */
export function serverOf(marker: string): number | undefined {
  const pid = Number(/^[0-9a-f]{16}\.[a-z]+\.(\d{1,10})\.[0-9a-f]{8}$/.exec(marker)?.[1]);
  return pid > 0 ? pid : undefined;
}
