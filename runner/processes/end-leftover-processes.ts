import { isNode } from '#runner/files/owned-name.ts';
import { siteOf } from './build-marker.ts';
import { findProcesses, kill, markerOfProcess } from './process-table.ts';

/**
 * Ends processes that builds of a killed server left running outside of any namespace: their marker names a directory
 * below `builds` and a server that no longer runs. Call it before the first build, as `sweepOwned`.
 */
export async function endLeftoverProcesses(builds: string): Promise<void> {
  for (const facts of await findProcesses(({ pid }) => nameBelow(builds, markerOfProcess(pid)) !== undefined))
    if (await isLeftover(builds, markerOfProcess(facts.pid))) kill(facts);
}

/** Returns whether a marker belongs to a build below `builds` whose server no longer runs. */
export async function isLeftover(builds: string, marker: string | undefined): Promise<boolean> {
  const maker = Number(nameBelow(builds, marker)?.split('.')[1]);
  return maker === process.pid || (maker > 0 && !(await isNode(maker)));
}

/** Returns the name of the build's directory. Markers of earlier versions were the whole path. */
function nameBelow(builds: string, marker: string | undefined): string | undefined {
  const prefix = [`${siteOf(builds)}.`, `${builds}/`].find((start) => marker?.startsWith(start));
  return prefix === undefined ? undefined : marker?.slice(prefix.length);
}
