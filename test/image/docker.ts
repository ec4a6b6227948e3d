import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What docker and its daemon are started with: nothing of whoever runs the tests, neither contexts nor registries' credentials. */
export const dockerEnv = (directory: string) => ({
  // Debian's own first: daemon and client of one release.
  PATH: '/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin',
  DOCKER_HOST: `unix://${directory}/docker.sock`,
  DOCKER_CONFIG: `${directory}/config`,
  // BuildKit comes in a package of its own.
  DOCKER_BUILDKIT: '0',
});

/** Runs a docker command at the daemon of `startDockerDaemon`; what it printed. */
export async function docker(directory: string, ...args: string[]): Promise<string> {
  const { stdout } = await run('docker', args, { env: dockerEnv(directory), maxBuffer: 64 * 1024 * 1024 });
  return stdout.trim();
}
