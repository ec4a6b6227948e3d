import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { serveDemoUpstream } from '#demo/upstream/serve.ts';
import { bundleStandalone } from '../bundles/bundle-standalone.ts';
import { report } from './machine.ts';
import { quantile } from './request-times.ts';

/**
 * Measures the time from a server's start to its first answer about upstream, and its memory at that point. It starts
 * the sources and the single file. With `--reference DIR` (a checkout of OpenWrt/asu with its dependencies in
 * `DIR/venv`) it also starts the API process of the reference server, without the worker and Redis that it needs for
 * builds. `npm run bench:start`.
 */
const ROUNDS = 9;
const { values } = parseArgs({ options: { reference: { type: 'string' } } });
const directory = await mkdtemp(join(tmpdir(), 'asu-bench-start-'));
const upstream = await serveDemoUpstream();

interface Candidate {
  readonly name: string;
  readonly command: (port: number) => readonly string[];
  readonly cwd?: string;
  readonly env?: Record<string, string>;
}

const main = new URL('../standalone/main.ts', import.meta.url).pathname;
const file = join(directory, 'asu.mjs');
const candidates: Candidate[] = [
  { name: 'start_sources', command: (port) => [process.execPath, main, '--port', String(port)] },
  { name: 'start_one_file', command: (port) => [process.execPath, file, '--port', String(port)] },
];
if (values.reference !== undefined)
  candidates.push({
    name: 'start_reference',
    command: (port) => [join(String(values.reference), 'venv/bin/uvicorn'), 'asu.main:app', '--port', String(port)],
    cwd: values.reference,
    env: { PUBLIC_PATH: join(directory, 'public') },
  });

try {
  await bundleStandalone(file);
  const results = new Map(candidates.map(({ name }) => [name, [] as { ms: number; mb: number }[]]));
  // The servers take turns, so that other work on the machine affects all of them. The first round only warms caches.
  for (let round = 0; round <= ROUNDS; round += 1)
    for (const candidate of candidates) {
      const result = await startOnce(candidate, join(directory, `${candidate.name}-${round}`));
      if (round > 0) results.get(candidate.name)?.push(result);
    }
  for (const [name, rounds] of results)
    report(name, {
      first_answer_p50_ms: Math.round(
        quantile(
          rounds.map(({ ms }) => ms),
          0.5,
        ),
      ),
      rss_p50_mb: Math.round(
        quantile(
          rounds.map(({ mb }) => mb),
          0.5,
        ),
      ),
      rounds: rounds.length,
    });
} finally {
  await upstream.close();
  await rm(directory, { recursive: true, force: true });
}

async function startOnce({ command, cwd = directory, env = {} }: Candidate, dataDir: string): Promise<{ ms: number; mb: number }> {
  const port = await freePort();
  const [program = '', ...args] = command(port);
  const began = performance.now();
  const child = spawn(program, args, {
    cwd,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', UPSTREAM_URL: upstream.url, LOG_LEVEL: 'ERROR', ASU_DATA_DIR: dataDir, ...env },
  });
  let trouble = '';
  child.stderr?.on('data', (chunk) => {
    trouble += chunk;
  });
  const ended = once(child, 'exit');
  await firstAnswer(`http://127.0.0.1:${port}/json/v1/latest.json`, child).catch((error) => {
    throw new Error(trouble, { cause: error });
  });
  const ms = performance.now() - began;
  const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
  child.kill('SIGTERM');
  await ended;
  return { ms, mb: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN) / 1024 };
}

async function firstAnswer(url: string, child: ChildProcess): Promise<void> {
  while (child.exitCode === null) {
    const answer = await fetch(url).then(
      (response) => response.text(),
      () => undefined,
    );
    if (answer?.includes('24.10.2')) return;
    await delay(2);
  }
  throw new Error(`the server ended with ${child.exitCode}`);
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
