import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { report } from './machine.ts';
import { quantile } from './request-times.ts';
import { startedService } from './started-service.ts';

/**
 * Sends a hundred times the high traffic of the design documents, as fast as the server answers: 100,000 different
 * package lists to prepare, then 10,000 different builds, which it polls until each is done. A script makes the images,
 * since ImageBuilder's time depends only on the number of runners. `npm run bench:day`.
 */
const PREPARES = 100_000;
const BUILDS = 10_000;
const CONNECTIONS = 32;
const DAY_S = 86_400;
const PLACE = { version: '24.10.2', target: 'x86/64', profile: 'generic' };
const PACKAGES = ['luci', '-ppp', 'vim', 'tmux', 'htop', 'nano', 'tcpdump', 'owut'];

const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
const server = await startedService('./scripted-server.ts', [`MAX_PENDING_JOBS=${BUILDS}`, 'WORKER_CONCURRENT=4']);
try {
  const prepared: number[] = [];
  const prepareSeconds = await timed(() =>
    someAtOnce(PREPARES, async (i) => {
      const began = performance.now();
      const { status } = await ask('/api/v1/prepare', bodyOf(i));
      if (status !== 200) throw new Error(`prepare answers ${status}`);
      prepared.push(performance.now() - began);
    }),
  );
  report('day_prepares', {
    prepares: PREPARES,
    seconds: round(prepareSeconds),
    per_second: Math.round(PREPARES / prepareSeconds),
    p99_ms: quantile(prepared, 0.99),
    share_of_a_day: share(prepareSeconds),
  });

  const hashes: string[] = [];
  const submitSeconds = await timed(() =>
    someAtOnce(BUILDS, async (i) => {
      const { status, body } = await ask('/api/v1/build', bodyOf(i));
      if (status !== 202) throw new Error(`build answers ${status}: ${body}`);
      hashes.push((JSON.parse(body) as { request_hash: string }).request_hash);
    }),
  );
  const doneSeconds = await timed(() =>
    someAtOnce(BUILDS, async (i) => {
      for (;;) {
        const { status } = await ask(`/api/v1/build/${hashes[i]}`);
        if (status === 200) return;
        if (status !== 202) throw new Error(`a build answers ${status}`);
        await delay(100);
      }
    }),
  );
  report('day_builds', {
    builds: new Set(hashes).size,
    submit_seconds: round(submitSeconds),
    submits_per_second: Math.round(BUILDS / submitSeconds),
    until_all_done_seconds: round(submitSeconds + doneSeconds),
    share_of_a_day: share(submitSeconds + doneSeconds),
  });
  report('day_memory', await server.memory());
} finally {
  agent.destroy();
  server.stop();
}

/** Returns the body of request number `i`. No two have the same text or the same meaning. */
function bodyOf(i: number): string {
  const packages = PACKAGES.filter((_, bit) => (i >> bit) & 1);
  return JSON.stringify({ ...PLACE, packages, rootfs_size_mb: 1 + (i >> PACKAGES.length) });
}

function ask(path: string, body?: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(
      server.url + path,
      { agent, method: body === undefined ? 'GET' : 'POST', headers: body === undefined ? {} : { 'Content-Type': 'application/json' } },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (chunk) => {
          text += chunk;
        });
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: text }));
      },
    );
    asked.on('error', reject);
    asked.end(body);
  });
}

async function someAtOnce(count: number, act: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) await act(next++);
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
}

async function timed(act: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await act();
  return (performance.now() - began) / 1000;
}

function round(seconds: number): number {
  return Math.round(seconds * 10) / 10;
}

function share(seconds: number): string {
  return `${((100 * seconds) / DAY_S).toFixed(2)} %`;
}
