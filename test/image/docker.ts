import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The environment of docker and its daemon, without the contexts and registry credentials of the user who runs the tests. */
export const dockerEnv = (directory: string) => ({
  // Debian's own comes first, because its daemon and client are of one release.
  PATH: '/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin',
  DOCKER_HOST: `unix://${directory}/docker.sock`,
  DOCKER_CONFIG: `${directory}/config`,
  // BuildKit comes in a package of its own.
  DOCKER_BUILDKIT: '0',
});

/** Runs a docker command at the daemon of `startDockerDaemon` and returns its output. */
export async function docker(directory: string, ...args: string[]): Promise<string> {
  const { stdout } = await run('docker', args, { env: dockerEnv(directory), maxBuffer: 64 * 1024 * 1024 });
  return stdout.trim();
}
