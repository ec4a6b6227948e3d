import { report } from './machine.ts';
import { build, realServer } from './real-server.ts';

/**
 * Measures how many builds an hour the server makes of a long queue, for several values of `WORKER_CONCURRENT`: few
 * builds that make several images at the same time each, or many builds that make one. `npm run bench:rate`.
 */
const WORKERS = [1, 2, 4];
const BUILDS = 12;
const BASE = { version: '24.10.2', target: 'x86/64', profile: 'generic' };
const PACKAGES = ['vim', 'tmux', 'htop', 'nano'];

for (const workers of WORKERS) {
  const server = await realServer({ WORKER_CONCURRENT: String(workers) });
  try {
    await build(server.url, { ...BASE, packages: PACKAGES });
    const started = performance.now();
    await Promise.all(
      Array.from({ length: BUILDS }, (_, index) => build(server.url, { ...BASE, packages: PACKAGES, rootfs_size_mb: 110 + index })),
    );
    const seconds = (performance.now() - started) / 1000;
    report('rate', { workers, builds: BUILDS, seconds: Math.round(seconds), builds_an_hour: Math.round((3600 * BUILDS) / seconds) });
  } finally {
    await server.close();
  }
}
