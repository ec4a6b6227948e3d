import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { ownCgroups, type ReadText, readText, withAncestors } from './own-cgroups.ts';

/**
 * Returns the number of processors that this process may use, which need not be whole: those that the kernel runs it
 * on, and no more than the quota of its cgroup and of each one above it. A container or a systemd service may have less
 * time than the machine has processors.
 */
export async function usableProcessors(processors = availableParallelism(), read: ReadText = readText): Promise<number> {
  const quotas: number[] = [];
  for (const cgroup of await ownCgroups('cpu', read))
    for (const directory of withAncestors(cgroup)) {
      const quota = cgroup.version === 2 ? quotaOf2(await read(join(directory, 'cpu.max'))) : await quotaOf1(directory, read);
      if (quota !== undefined) quotas.push(quota);
    }
  return Math.min(processors, ...quotas);
}

/** `cpu.max`: the microseconds of each period, or `max`. */
function quotaOf2(text: string): number | undefined {
  const [quota, period] = text.trim().split(' ').map(Number);
  return ratio(quota, period);
}

async function quotaOf1(directory: string, read: ReadText): Promise<number | undefined> {
  const number = async (name: string) => Number((await read(join(directory, name))).trim());
  return ratio(await number('cpu.cfs_quota_us'), await number('cpu.cfs_period_us'));
}

/** Version 1 says -1 where there is no quota, version 2 says `max`. */
const ratio = (quota = Number.NaN, period = Number.NaN): number | undefined => (quota > 0 && period > 0 ? quota / period : undefined);
