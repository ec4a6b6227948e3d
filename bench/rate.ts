import { parseArgs } from 'node:util';
import { serveDemoUpstream } from '#demo/upstream/serve.ts';
import { report } from './machine.ts';
import { offerImagebuilder, realImagebuilders, removeRealImagebuilders } from './real-imagebuilders.ts';
import { build, realServer } from './real-server.ts';
import { median } from './request-times.ts';

/**
 * Measures how many builds an hour the server makes of a long queue, for several values of `WORKER_CONCURRENT`: few
 * builds that make several images at the same time each, or many builds that make one. `npm run bench:rate` uses the demo's
 * ImageBuilder of 24.10 for x86/64, or the first of the real ones in the directory that `ASU_BENCH_IMAGEBUILDERS` names.
 * The values take turns in several rounds, and each rate is also given in relation to that of the first value.
 */
const { values } = parseArgs({ options: { builds: { type: 'string', default: '8' }, rounds: { type: 'string', default: '3' } } });
const WORKERS = [1, 2, 4];
const BUILDS = Number(values.builds);

const upstream = await serveDemoUpstream();
const [real] = await realImagebuilders();
const request =
  real === undefined ? { version: '24.10.2', target: 'x86/64', profile: 'generic' } : (await offerImagebuilder(upstream, real)).request;
const servers: { readonly workers: number; readonly server: Awaited<ReturnType<typeof realServer>>; readonly seconds: number[] }[] = [];
let size = 104;
try {
  const ask = (url: string) => build(url, { ...request, packages: ['luci'], rootfs_size_mb: size++ });
  for (const workers of WORKERS) {
    const server = await realServer({ WORKER_CONCURRENT: String(workers) }, lent());
    servers.push({ workers, server, seconds: [] });
    await ask(server.url);
  }
  for (let round = 0; round < Number(values.rounds); round++)
    for (const { workers, server, seconds } of servers) {
      const started = performance.now();
      await Promise.all(Array.from({ length: BUILDS }, () => ask(server.url)));
      seconds.push((performance.now() - started) / 1000);
      process.stderr.write(`round ${round + 1}, ${workers} at once: ${Math.round(seconds.at(-1) ?? 0)} s\n`);
    }
  const [first] = servers;
  for (const { workers, seconds } of servers) {
    const relative = seconds.map((each, round) => (1000 * (first?.seconds[round] ?? each)) / each);
    report('rate', {
      build: real ?? '24.10.2 x86/64',
      workers,
      rounds: seconds.length,
      builds: BUILDS,
      builds_an_hour: Math.round((3600 * BUILDS) / (median(seconds.map((each) => 1000 * each)) / 1000)),
      relative_to_one: median(relative) / 1000,
    });
  }
} finally {
  for (const { server } of servers) await server.close();
  await upstream.close();
  await removeRealImagebuilders();
}

/** Returns the upstream for one of several servers, none of which closes it. */
function lent() {
  return { ...upstream, close: async () => undefined };
}
