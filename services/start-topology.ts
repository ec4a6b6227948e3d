import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { LOCAL_CREDENTIALS, type ResourceNames } from '#local-aws/resources/aws-resources.ts';
import { givenSettings, SERVICE_NAMES, type ServiceName, serviceEnvironment, TOPOLOGY } from './topology.ts';

export interface TopologyOptions {
  readonly localstackUrl: string;
  readonly upstreamUrl: string;
  /** The directory of the runner's caches. */
  readonly directory: string;
  readonly names: ResourceNames;
  /** The environment from which each service gets the settings that the topology names for it. */
  readonly settings?: Readonly<Record<string, string | undefined>>;
  /** Settings for every service, which override those of the topology. */
  readonly environment?: Readonly<Record<string, string>>;
  /**
   * Takes any free ports instead of the documented ones, where another process may start the same services meanwhile.
   */
  readonly anyPorts?: boolean;
  /** Called with each line of a service's log. */
  readonly onLine?: (service: ServiceName, line: string) => void;
}

export interface Topology {
  readonly urls: Readonly<Record<ServiceName, string>>;
  /** Ends a service as the kernel would, or with another signal, and returns its exit code when it is gone. */
  kill(name: ServiceName, signal?: NodeJS.Signals): Promise<number | null>;
  /** Starts the service again on its port. */
  start(name: ServiceName): Promise<void>;
  close(): Promise<void>;
}

const START_MS = 120_000;
const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));

/**
 * Starts every service of the topology as a separate process, over a LocalStack that has the resources, and waits
 * until all are healthy. Each gets its documented port if that is free, and another one if not.
 */
export async function startTopology(options: TopologyOptions): Promise<Topology> {
  const ports = Object.fromEntries(
    await Promise.all(TOPOLOGY.map(async ({ name, port }) => [name, await freePort(options.anyPorts ? 0 : port)] as const)),
  );
  const urls = Object.fromEntries(SERVICE_NAMES.map((name) => [name, `http://127.0.0.1:${ports[name]}`])) as Record<ServiceName, string>;
  const running = new Map<ServiceName, ChildProcess>();

  const start = async (name: ServiceName) => {
    const service = TOPOLOGY.find((one) => one.name === name);
    if (service === undefined) throw new Error(`There is no service ${name}`);
    const child = spawn(process.execPath, [MAIN, name], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin',
        UPSTREAM_URL: options.upstreamUrl,
        ...givenSettings(service, options.settings ?? {}),
        // LocalStack accepts any credentials, and no other server gets these.
        ...(service.state.length > 0 && LOCAL_CREDENTIALS),
        ...serviceEnvironment(service, (other) => (other === 'localstack' ? options.localstackUrl : urls[other]), options.names),
        ...(name === 'runner' && { DATA_DIR: join(options.directory, 'runner'), ALIVE_FILE: join(options.directory, 'alive') }),
        HOST: '127.0.0.1',
        PORT: String(ports[name]),
        ...options.environment,
      },
    });
    running.set(name, child);
    const last: string[] = [];
    for (const stream of [child.stdout, child.stderr])
      onLines(stream, (line) => {
        last.push(line);
        if (last.length > 20) last.shift();
        options.onLine?.(name, line);
      });
    const deadline = performance.now() + START_MS;
    while (performance.now() < deadline && child.exitCode === null && child.signalCode === null) {
      // If another process answers there, the service itself has ended.
      if ((await isHealthy(`${urls[name]}/health`)) && child.exitCode === null) return;
      await delay(100);
    }
    throw new Error(`The ${name} service did not start:\n${last.join('\n')}`);
  };
  const kill = async (name: ServiceName, signal: NodeJS.Signals = 'SIGKILL') => {
    const child = running.get(name);
    if (child === undefined) return null;
    running.delete(name);
    if (child.exitCode === null && child.signalCode === null) {
      child.kill(signal);
      await once(child, 'exit');
    }
    return child.exitCode;
  };
  const close = async () => {
    await Promise.all([...running.keys()].map((name) => kill(name, 'SIGTERM')));
  };
  try {
    await Promise.all(TOPOLOGY.map(({ name }) => start(name)));
  } catch (error) {
    await close();
    throw error;
  }
  return { urls, kill, start, close };
}

const isHealthy = (url: string) =>
  fetch(url, { signal: AbortSignal.timeout(5_000) }).then(
    async (response) => {
      await response.body?.cancel();
      return response.ok;
    },
    () => false,
  );

function onLines(stream: NodeJS.ReadableStream, call: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) call(line);
  });
}

function freePort(wanted: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) =>
      wanted !== 0 && error.code === 'EADDRINUSE' ? freePort(0).then(resolve, reject) : reject(error),
    );
    server.listen(wanted, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
