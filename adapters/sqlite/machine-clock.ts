import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';

/**
 * A clock that all processes of this machine share and that cannot be set. It counts milliseconds since some moment
 * before the machine's last start. `boot` names that start; times from another start cannot be compared.
 */
export interface MachineClock {
  readonly boot: string;
  readonly milliseconds: () => number;
}

/**
 * The file that names the machine's last start. Only Linux has it; elsewhere each process counts as a machine of its
 * own (decision 19).
 */
const BOOT_ID = '/proc/sys/kernel/random/boot_id';

function bootOf(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return randomUUID();
  }
}

/** The machine's clock: CLOCK_MONOTONIC, which Node's `hrtime` reads. */
export const MACHINE_CLOCK: MachineClock = {
  boot: bootOf(BOOT_ID),
  milliseconds: () => Number(process.hrtime.bigint()) / 1e6,
};
