import { createHash } from 'node:crypto';
import { basename, dirname } from 'node:path';

/** Variable in the environment of every process of a build; its value names the build among all processes of the machine. */
export const MARKER = 'ASU_BUILD';

/** The marker of the build in `directory`. A build sees it, so it does not tell where on this machine the directory lies. */
export const markerOf = (directory: string): string => `${siteOf(dirname(directory))}.${basename(directory)}`;

/** What the markers of all builds below one directory begin with. */
export const siteOf = (builds: string): string => createHash('sha256').update(builds).digest('hex').slice(0, 16);

/** The marker in the text of a `/proc/<pid>/environ`. */
export const markerIn = (environ: string): string | undefined =>
  environ
    .split('\0')
    .find((entry) => entry.startsWith(`${MARKER}=`))
    ?.slice(MARKER.length + 1);

/** The process number of the server that a marker names; `undefined`: it names none. */
export function serverOf(marker: string): number | undefined {
  const pid = Number(/^[0-9a-f]{16}\.[a-z]+\.(\d{1,10})\.[0-9a-f]{8}$/.exec(marker)?.[1]);
  return pid > 0 ? pid : undefined;
}
