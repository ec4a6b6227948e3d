import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { demoUpstreamKey } from '#demo/upstream/key.ts';

export interface ServerProcess {
  readonly url: string;
  readonly pid: number;
  /** The JSON log lines so far. */
  readonly lines: readonly string[];
  /** Kills the process with SIGKILL. */
  kill(): Promise<void>;
  /** Stops the process as an operator would, and returns its exit code. */
  stop(): Promise<number | null>;
}

export interface ServerProcessHooks {
  /** Called with each line of the log. */
  readonly onLine?: (line: string) => void;
  /** Kills the process with SIGKILL, also before it listens. */
  readonly signal?: AbortSignal;
}

const MAIN = new URL('../../standalone/main.ts', import.meta.url).pathname;

/** Node's cache of compiled modules, with which a server starts in half the CPU time. */
const COMPILE_CACHE = join(tmpdir(), 'asu-compile-cache', 'standalone');

let filled: Promise<unknown> | undefined;

/** Fills the cache unless an earlier run has. A server that a test kills writes nothing to it. */
const filledCompileCache = (): Promise<unknown> => {
  filled ??= access(COMPILE_CACHE).catch(() =>
    promisify(execFile)(process.execPath, [MAIN, '--help'], { env: { NODE_COMPILE_CACHE: COMPILE_CACHE } }),
  );
  return filled;
};

/**
 * Starts `npm start` in its own process, for tests that kill it. Rejects with the output if the process ends before it
 * listens. `wrapper` is a command that runs the command after it in its place.
 */
export async function serverProcess(
  dataDir: string,
  upstreamUrl: string,
  env: Record<string, string> = {},
  wrapper: readonly string[] = [],
  { onLine, signal }: ServerProcessHooks = {},
): Promise<ServerProcess> {
  await filledCompileCache();
  const [command = process.execPath, ...args] = [...wrapper, process.execPath, MAIN];
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin',
      ASU_DATA_DIR: dataDir,
      UPSTREAM_URL: upstreamUrl,
      PORT: '0',
      LOG_LEVEL: 'debug',
      ASU_CONFIG: '/dev/null',
      TRUSTED_KEYS: demoUpstreamKey.base64,
      NODE_COMPILE_CACHE: COMPILE_CACHE,
      ...env,
    },
  });
  const lines: string[] = [];
  let rest = '';
  child.stdout.on('data', (chunk) => {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
    if (onLine !== undefined) parts.forEach(onLine);
  });
  const kill = () => child.kill('SIGKILL');
  signal?.addEventListener('abort', kill, { once: true });
  child.once('exit', () => signal?.removeEventListener('abort', kill));
  if (signal?.aborted) kill();
  let complaints = '';
  child.stderr.on('data', (chunk) => {
    complaints += chunk;
  });
  return {
    url: await listeningUrl(child, () => [...lines, complaints]),
    pid: child.pid ?? 0,
    lines,
    kill: async () => {
      kill();
      await ended(child);
    },
    stop: async () => {
      child.kill('SIGTERM');
      return ended(child);
    },
  };
}

async function listeningUrl(child: ChildProcess, said: () => readonly string[]): Promise<string> {
  for (;;) {
    const line = said().find((text) => text.includes('"server listening"'));
    if (line !== undefined) return JSON.parse(line).url;
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`the server ended with ${child.exitCode ?? child.signalCode}: ${said().join('\n')}`);
    await delay(20);
  }
}

async function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode;
}
