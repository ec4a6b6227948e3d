import { isNode } from '#runner/files/owned-name.ts';
import { siteOf } from './build-marker.ts';
import { findProcesses, kill, markerOfProcess } from './process-table.ts';

/**
 * Ends what builds of a killed server left running, where there was no namespace to end with it: processes whose marker names a
 * directory below `builds` and a server that is no more. Call it before the first build, as for `sweepOwned`.
 */
export async function endLeftProcesses(builds: string): Promise<void> {
  for (const facts of await findProcesses(({ pid }) => nameBelow(builds, markerOfProcess(pid)) !== undefined))
    if (await isLeft(builds, markerOfProcess(facts.pid))) kill(facts);
}

/** Whether a marker is that of a build below `builds` whose server is no more. */
export async function isLeft(builds: string, marker: string | undefined): Promise<boolean> {
  const maker = Number(nameBelow(builds, marker)?.split('.')[1]);
  return maker === process.pid || (maker > 0 && !(await isNode(maker)));
}

/** Name of the build's directory; markers of earlier versions were the whole path. */
function nameBelow(builds: string, marker: string | undefined): string | undefined {
  const prefix = [`${siteOf(builds)}.`, `${builds}/`].find((start) => marker?.startsWith(start));
  return prefix === undefined ? undefined : marker?.slice(prefix.length);
}
