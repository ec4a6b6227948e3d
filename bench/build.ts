import { readFile } from 'node:fs/promises';
import { report } from './machine.ts';
import { build, realServer } from './real-server.ts';

/**
 * Measures the overhead of a build beyond ImageBuilder's make processes, from the client's POST to its 200, and the
 * memory of the server when it is idle and when it runs four builds. `npm run bench:build`.
 */
const BASE = { version: '24.10.2', target: 'x86/64', profile: 'generic', filesystem: 'squashfs' };
const PACKAGES = ['vim', 'tmux', 'htop', 'nano', 'curl', 'tcpdump', 'luci', 'owut'];

const one = await realServer({ WORKER_CONCURRENT: '1' });
try {
  await build(one.url, { ...BASE, packages: ['wireguard-tools'] });
  const own: number[] = [];
  const make: number[] = [];
  for (const name of PACKAGES) {
    const started = performance.now();
    const { durations_ms } = await build(one.url, { ...BASE, packages: [name] });
    const total = performance.now() - started;
    const inMake = Object.entries(durations_ms).reduce((sum, [step, ms]) => (step.startsWith('make_') ? sum + ms : sum), 0);
    own.push(total - inMake);
    make.push(inMake);
    const runs = Object.keys(durations_ms).filter((step) => step.startsWith('make_'));
    if (runs.length !== 1) throw new Error(`expected one make run, saw ${runs.join(', ')}`);
  }
  report('build_own_time', {
    builds: own.length,
    own_ms_median: median(own),
    own_ms_max: Math.round(Math.max(...own)),
    make_ms_median: median(make),
    make_runs_per_build: 1,
  });
} finally {
  await one.close();
}

const four = await realServer({ WORKER_CONCURRENT: '4' });
try {
  const idle = await rssMb(four.pid);
  const builds = PACKAGES.map((name) => build(four.url, { ...BASE, packages: [name, 'slow-2'] }));
  let highest = 0;
  const timer = setInterval(async () => {
    highest = Math.max(highest, await rssMb(four.pid));
  }, 50);
  await Promise.all(builds);
  clearInterval(timer);
  report('rss', { idle_mb: idle, four_builds_mb: highest });
} finally {
  await four.close();
}

function median(values: readonly number[]): number {
  return Math.round([...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0);
}

async function rssMb(pid: number): Promise<number> {
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024);
}
