import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const DIRECTORY = fileURLToPath(new URL('./ric', import.meta.url));

/**
 * Installs AWS's runtime client once, because building it from source takes most of a minute. The compiler optimises
 * nothing: the client answers two tests.
 */
export function setup(): void {
  if (existsSync(`${DIRECTORY}/node_modules/aws-lambda-ric/rapid-client.node`)) return;
  const argv = ['CFLAGS=-O0', 'npm', 'ci', '--no-audit', '--no-fund'];
  const { status } = spawnSync('env', argv, { cwd: DIRECTORY, stdio: 'inherit' });
  if (status !== 0)
    throw new Error(
      'aws-lambda-ric could not be built; it needs cmake, make, g++, xz, python3 (`apt-get install cmake make g++ xz-utils python3`)',
    );
}
