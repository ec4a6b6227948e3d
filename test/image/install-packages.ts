import { execFile } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Asked by packages before they start a service of theirs. */
const POLICY = '/usr/sbin/policy-rc.d';

/**
 * Installs Debian packages unless their commands are there already. None of them starts a service: with a Docker daemon that the
 * machine did not have before, other lanes would go another way.
 */
export async function installPackages(packages: Readonly<Record<string, string>>): Promise<void> {
  const missing: string[] = [];
  for (const [name, command] of Object.entries(packages)) if (!(await isThere(command))) missing.push(name);
  if (missing.length === 0) return;
  const isPolicyOurs = await writeFile(POLICY, '#!/bin/sh\nexit 101\n', { flag: 'wx', mode: 0o755 }).then(
    () => true,
    () => false,
  );
  try {
    await run('apt-get', ['update', '-qq']);
    const install = ['install', '--yes', '-qq', '--no-install-recommends', ...missing];
    await run('env', ['DEBIAN_FRONTEND=noninteractive', 'apt-get', ...install], { maxBuffer: 64 * 1024 * 1024 });
  } catch (cause) {
    throw new Error(`The lane needs ${missing.join(', ')}, which apt-get could not install`, { cause });
  } finally {
    if (isPolicyOurs) await rm(POLICY);
  }
}

const isThere = (command: string): Promise<boolean> =>
  run(command, ['--version']).then(
    () => true,
    () => false,
  );
