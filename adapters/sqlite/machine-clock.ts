import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';

/**
 * A clock that all processes of this machine share, and that nobody can set: milliseconds since some moment before the machine's
 * last start. `boot` names that start: times of another one mean nothing.
 */
export interface MachineClock {
  readonly boot: string;
  readonly milliseconds: () => number;
}

/** Linux only. Elsewhere every process is on its own, as one server on a data directory is (decision 19). */
const BOOT_ID = '/proc/sys/kernel/random/boot_id';

function bootOf(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return randomUUID();
  }
}

/** CLOCK_MONOTONIC, which is what Node's `hrtime` reads. */
export const MACHINE_CLOCK: MachineClock = {
  boot: bootOf(BOOT_ID),
  milliseconds: () => Number(process.hrtime.bigint()) / 1e6,
};
