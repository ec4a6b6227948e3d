import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The last release that needs no token. `start.sh` names the same version. */
const IMAGE = 'localstack/localstack:4.14.0';
const SERVICES = 's3,sqs,dynamodb';

/** Enough for the first start, which installs from PyPI and Maven Central, or pulls the image. */
const START_TIMEOUT_MS = 600_000;

const NEEDED = `LocalStack needs a Docker daemon that answers \`docker info\`. Without Docker it needs on the PATH:
  Python 3.13 with venv (or PYTHON=…, or pyenv: \`pyenv install 3.13\`), Java 17 or later and Maven (\`apt-get install openjdk-17-jre-headless maven\`).`;

export interface LocalStack {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Starts a LocalStack with S3, SQS and DynamoDB on a free port of the loopback address: in Docker when a daemon
 * answers, otherwise on the host (`start.sh` installs it once into `directory`). Its output goes to `localstack.log` in
 * that directory.
 */
export async function startLocalStack(directory: string, port?: number): Promise<LocalStack> {
  await mkdir(directory, { recursive: true });
  const chosen = port ?? (await freePort());
  return (await isDockerThere()) ? startInDocker(directory, chosen) : startOnHost(directory, chosen);
}

const isDockerThere = (): Promise<boolean> =>
  run('docker', ['info'], { timeout: 20_000 }).then(
    () => true,
    () => false,
  );

async function startInDocker(directory: string, port: number): Promise<LocalStack> {
  const name = `asu-localstack-${port}`;
  const settings = [
    `SERVICES=${SERVICES}`,
    `LOCALSTACK_HOST=127.0.0.1:${port}`,
    'SQS_ENDPOINT_STRATEGY=path',
    'EAGER_SERVICE_LOADING=1',
    // As in start.sh.
    'JAVA_TOOL_OPTIONS=-XX:TieredStopAtLevel=1 -XX:+UseSerialGC',
  ];
  const environment = settings.flatMap((setting) => ['--env', setting]);
  const child = start(directory, 'docker', ['run', '--rm', '--name', name, '--publish', `127.0.0.1:${port}:4566`, ...environment, IMAGE]);
  const stop = async () => {
    await run('docker', ['rm', '--force', name]).catch(() => undefined);
  };
  return { url: await whenReady(child, port, directory, stop), stop };
}

async function startOnHost(directory: string, port: number): Promise<LocalStack> {
  await assertHostReady();
  const script = fileURLToPath(new URL('./start.sh', import.meta.url));
  const child = start(directory, 'bash', [script, directory, String(port), SERVICES]);
  const stop = () => endGroup(child);
  // Also when a signal ends the lane.
  process.once('exit', () => signalGroup(child, 'SIGTERM'));
  return { url: await whenReady(child, port, directory, stop), stop };
}

/** Throws unless the commands run that the script needs. The script itself finds other faults, and logs them. */
async function assertHostReady(): Promise<void> {
  for (const [command, ...args] of [
    ['java', '-version'],
    ['mvn', '-version'],
    ['bash', '-c', 'true'],
  ] as const)
    await run(command, args).catch((cause: unknown) => {
      throw new Error(`${NEEDED}\nThis machine has neither: no Docker daemon answers, and \`${command}\` does not run.`, { cause });
    });
}

/** Starts the command in a process group of its own, so that the processes which it starts can be ended with it. */
function start(directory: string, command: string, args: string[]): ChildProcess {
  const child = spawn(command, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const log = createWriteStream(join(directory, 'localstack.log'));
  child.stdout?.pipe(log, { end: false });
  child.stderr?.pipe(log, { end: false });
  return child;
}

/** Sends the signal to the process group. Returns whether any process of the group was left to receive it. */
function signalGroup({ pid, exitCode, signalCode }: ChildProcess, signal: NodeJS.Signals | 0): boolean {
  if (pid === undefined || exitCode !== null || signalCode !== null) return false;
  try {
    return process.kill(-pid, signal);
  } catch {
    return false;
  }
}

async function endGroup(child: ChildProcess): Promise<void> {
  signalGroup(child, 'SIGTERM');
  for (let i = 0; i < 50 && signalGroup(child, 0); i += 1) await sleep(100);
  signalGroup(child, 'SIGKILL');
}

async function whenReady(child: ChildProcess, port: number, directory: string, stop: () => Promise<void>): Promise<string> {
  const url = `http://127.0.0.1:${port}`;
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadline && child.exitCode === null && child.signalCode === null) {
    const health = await fetch(`${url}/_localstack/health`).catch(() => undefined);
    const { services = {} } = ((await health?.json()) ?? {}) as { services?: Record<string, string> };
    if (SERVICES.split(',').every((name) => services[name] === 'running')) return url;
    await sleep(250);
  }
  await stop();
  const log = await readFile(join(directory, 'localstack.log'), 'utf8').catch(() => '');
  throw new Error(`LocalStack did not start.\n${NEEDED}\nThe end of its log (${join(directory, 'localstack.log')}):\n${log.slice(-2_000)}`);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
