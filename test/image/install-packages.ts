import { execFile } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The script that packages ask before they start one of their services. */
const POLICY = '/usr/sbin/policy-rc.d';

/**
 * Installs Debian packages unless their commands exist already. None of them starts a service, because other lanes behave
 * differently on a machine with a Docker daemon.
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
