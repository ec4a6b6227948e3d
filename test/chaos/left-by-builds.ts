import { readdir, realpath } from 'node:fs/promises';
import { siteOf } from '#runner/processes/build-marker.ts';
import { findProcesses, markerOfProcess } from '#runner/processes/process-table.ts';

/** Returns what builds below this directory have left: their own directories, and processes with their marker. */
export async function leftByBuilds(builds: string): Promise<string[]> {
  const entries = await readdir(builds).catch(() => []);
  const site = siteOf(await realpath(builds).catch(() => builds));
  const processes = await findProcesses(({ pid }) => markerOfProcess(pid)?.startsWith(`${site}.`) ?? false);
  return [
    ...entries.map((name) => `the directory ${name} of a build is left`),
    ...processes.map(({ pid }) => `process ${pid} of the build ${markerOfProcess(pid)} is left`),
  ];
}
