import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { docker, dockerEnv } from './docker.ts';

const run = promisify(execFile);

/** It takes two seconds on a machine that has nothing else to do. */
const START_TIMEOUT_MS = 60_000;

/** Leaves the machine's network alone: containers have none, or the machine's own. */
const WITHOUT_NETWORK = ['--iptables=false', '--ip6tables=false', '--ip-forward=false', '--ip-masq=false', '--bridge=none'];

/** Starts a Docker daemon that keeps everything in `directory`. `stop` ends it with all its containers and removes the directory. */
export async function startDockerDaemon(directory: string): Promise<{ stop(): Promise<void> }> {
  await mkdir(directory, { recursive: true });
  const at = (name: string) => join(directory, name);
  const places = ['--data-root', at('data'), '--exec-root', at('exec'), '--pidfile', at('pid'), '--host', `unix://${at('docker.sock')}`];
  const log = await open(at('log'), 'a');
  const daemon = spawn('dockerd', [...WITHOUT_NETWORK, ...places], { stdio: ['ignore', log.fd, log.fd], env: dockerEnv(directory) });
  await log.close();
  const ended = once(daemon, 'exit').catch(() => undefined);
  const isRunning = () => daemon.pid !== undefined && daemon.exitCode === null && daemon.signalCode === null;
  const endAtExit = () => daemon.kill('SIGTERM');
  process.once('exit', endAtExit);

  const stop = async () => {
    if (isRunning()) {
      const containers = await docker(directory, 'ps', '--all', '--quiet').catch(() => '');
      if (containers !== '') await docker(directory, 'rm', '--force', '--volumes', ...containers.split('\n')).catch(() => undefined);
      daemon.kill('SIGTERM');
      await ended;
    }
    process.off('exit', endAtExit);
    for (const mount of (await mountsIn(directory)).reverse()) await run('umount', [mount]);
    await rm(directory, { recursive: true, force: true });
  };

  for (const until = Date.now() + START_TIMEOUT_MS; Date.now() < until && isRunning(); await sleep(200))
    if (await docker(directory, 'info').then(Boolean, () => false)) return { stop };
  const said = (await readFile(at('log'), 'utf8')).split('\n').slice(-20).join('\n');
  await stop();
  throw new Error(`dockerd does not run on this machine:\n${said}`);
}

async function mountsIn(directory: string): Promise<string[]> {
  const mounts = await readFile('/proc/self/mounts', 'utf8');
  return mounts.split('\n').flatMap((line) =>
    line
      .split(' ')
      .slice(1, 2)
      .filter((path) => path.startsWith(`${directory}/`)),
  );
}
