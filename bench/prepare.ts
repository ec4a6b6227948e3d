import { serviceEnvironment, TOPOLOGY } from '#services/topology.ts';
import { report } from './machine.ts';
import { quantile, timeOf } from './request-times.ts';
import { startedService } from './started-service.ts';

/**
 * Measures how fast the prepare service answers after a warm-up, for every version of the demo upstream, and how much
 * memory it takes. `npm run bench:prepare` runs it.
 */
const REQUESTS = 3_000;
const PACKAGES = ['luci', 'auc', 'vim', 'tmux', 'htop', 'nano'];
const upstream = await startedService('../demo/upstream/main.ts');
const description = TOPOLOGY.find(({ name }) => name === 'prepare');
const environment = { ...(description && serviceEnvironment(description, () => '')), UPSTREAM_URL: upstream.url };
// The first start fills the cache of compiled code and is not measured.
(await startedService('../services/main.ts', ['prepare'], environment)).stop();
const prepare = await startedService('../services/main.ts', ['prepare'], environment);
try {
  const idle = await prepare.memory();
  const bodies = ['24.10.2', '24.10.0', '23.05.5', '25.12.0'].map((version, i) =>
    JSON.stringify({ version, target: 'x86/64', profile: 'generic', packages: PACKAGES.slice(0, 2 + i) }),
  );
  const ask = (i: number) => timeOf(`${prepare.url}/api/v1/prepare`, bodies[i % bodies.length]);
  const first = await ask(0);
  for (let i = 0; i < 400; i += 1) await ask(i);
  const times: number[] = [];
  for (let i = 0; i < REQUESTS; i += 1) times.push(await ask(i));
  report('prepare', {
    first_ms: Math.round(first),
    p50_ms: quantile(times, 0.5),
    p99_ms: quantile(times, 0.99),
    idle_rss_mb: idle.rss_mb,
    ...(await prepare.memory()),
  });
} finally {
  prepare.stop();
  upstream.stop();
}
