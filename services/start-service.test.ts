import { expect, it } from 'vitest';
import type { Composition } from '#functions/composition.ts';
import { jsonLog } from '#observe/log.ts';
import { prometheusMetrics } from '#observe/metrics.ts';
import { startService } from './start-service.ts';

const started = (...functions: Composition[]) => {
  const parts = { log: jsonLog('silent', () => undefined), metrics: prometheusMetrics('test') };
  return startService({ HOST: '127.0.0.1', PORT: 0, SERVICE_NAME: 'test' }, parts, ...functions);
};
const passes = async () => undefined;

it.each([
  ['needed by both', { routes: [], checks: { table: passes } }, { routes: [], checks: { table: passes } }],
  [
    'needed by one and looked at by the other',
    { routes: [], checks: { upstream: passes } },
    { routes: [], checks: {}, readyChecks: { upstream: passes } },
  ],
  [
    'a source of both',
    { routes: [], checks: {}, sources: { upstream: passes } },
    { routes: [], checks: {}, sources: { upstream: passes } },
  ],
])('a service of which two functions have a check of one name does not start, as one check would be lost: %s', async (_, one, other) => {
  await expect(started(one, other)).rejects.toThrow(/two functions of this service have a check with the name (table|upstream)/);
});

it('a service has the checks of all its functions', async () => {
  const service = await started(
    { routes: [], checks: { table: passes } },
    { routes: [], checks: { bucket: passes }, readyChecks: { upstream: passes } },
  );
  try {
    const ready = (await (await fetch(`${service.url}/ready`)).json()) as { checks: object };
    expect(ready.checks).toEqual({ table: 'ok', bucket: 'ok', upstream: 'ok' });
  } finally {
    await service.close();
  }
});
