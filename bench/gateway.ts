import { serviceEnvironment, TOPOLOGY } from '#services/topology.ts';
import { report } from './machine.ts';
import { quantile, timeOf } from './request-times.ts';
import { startedService } from './started-service.ts';

/**
 * Measures the time that the gateway adds to an answer on the loopback interface: requests alternate between the
 * gateway and the service itself. `npm run bench:gateway`.
 */
const ROUNDS = 3_000;
const server = await startedService('./scripted-server.ts');
const description = TOPOLOGY.find(({ name }) => name === 'gateway');
const gateway = await startedService('../services/main.ts', ['gateway'], {
  ...(description && serviceEnvironment(description, () => server.url)),
  RATE_LIMIT_REQUESTS_PER_HOUR: '0',
});
try {
  const body = JSON.stringify({ version: '24.10.2', target: 'x86/64', profile: 'generic', packages: ['vim', 'tmux', 'luci'] });
  for (const [name, path, sent] of [
    ['gateway_get', '/api/v1/stats', undefined],
    ['gateway_post', '/api/v1/build/prepare', body],
  ] as const) {
    const [direct, through]: [number[], number[]] = [[], []];
    for (let i = 0; i < ROUNDS; i += 1) {
      direct.push(await timeOf(server.url + path, sent));
      through.push(await timeOf(gateway.url + path, sent));
    }
    // The first rounds warm up.
    const [one, other] = [direct, through].map((times) => times.slice(ROUNDS / 10)) as [number[], number[]];
    const added = (q: number) => Math.round((quantile(other, q) - quantile(one, q)) * 100) / 100;
    report(name, { direct_p50_ms: quantile(one, 0.5), p50_ms: quantile(other, 0.5), added_p50_ms: added(0.5), added_p99_ms: added(0.99) });
  }
  report('gateway_memory', await gateway.memory());
} finally {
  gateway.stop();
  server.stop();
}
