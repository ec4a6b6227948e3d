import { describe, expect, it } from 'vitest';
import { healthRoutes } from './health.ts';

type Checks = Readonly<Record<string, () => Promise<unknown>>>;

function service(checks: Checks, sources: Checks = {}) {
  const clock = { now: new Date('2026-11-20T12:00:00.000Z'), monotonic: 0 };
  const monotonic = () => clock.monotonic;
  const app = healthRoutes({ service: 'test', version: '1.2.3', now: () => clock.now, monotonic, checks, sources });
  const ask = async (path: string) => {
    const response = await app.request(path);
    return { status: response.status, cache: response.headers.get('Cache-Control'), body: (await response.json()) as object };
  };
  return { clock, ask };
}

describe('/health', () => {
  it('says who is there and looks at nothing else', async () => {
    const { ask } = service({ table: () => Promise.reject(new Error('gone')) });
    expect(await ask('/health')).toEqual({
      status: 200,
      cache: 'no-store',
      body: { service: 'test', status: 'ok', version: '1.2.3', timestamp: '2026-11-20T12:00:00.000Z' },
    });
  });
});

describe('/ready', () => {
  it('names the parts that are missing, and why', async () => {
    const { ask } = service({ queue: async () => 'anything', table: () => Promise.reject(new Error('gone')) });
    expect(await ask('/ready')).toMatchObject({
      status: 503,
      body: { status: 503, detail: 'Service Unavailable: table', checks: { queue: 'ok', table: 'gone' } },
    });
  });

  it('is degraded while a source of copies does not answer, and not ready without a copy', async () => {
    const away = () => Promise.reject(new Error('away'));
    const withCopy = service({ table: async () => undefined, upstream: async () => 'a copy' }, { upstream: away });
    expect(await withCopy.ask('/ready')).toMatchObject({
      status: 200,
      body: { status: 'degraded', checks: { table: 'ok', upstream: 'away' } },
    });
    const withoutCopy = service({ upstream: away }, { upstream: away });
    expect(await withoutCopy.ask('/ready')).toMatchObject({ status: 503, body: { checks: { upstream: 'away' } } });
    const isBack = service({ upstream: async () => 'a copy' }, { upstream: async () => undefined });
    expect(await isBack.ask('/ready')).toMatchObject({ status: 200, body: { status: 'ready', checks: { upstream: 'ok' } } });
  });

  it('checks again after thirty seconds, not before, however many clients ask', async () => {
    let looked = 0;
    let isThere = false;
    const { clock, ask } = service({
      table: async () => {
        looked += 1;
        if (!isThere) throw new Error('gone');
      },
    });
    const later = (seconds: number) => {
      clock.monotonic += seconds * 1000;
    };
    expect((await Promise.all([ask('/ready'), ask('/ready'), ask('/ready')])).map(({ status }) => status)).toEqual([503, 503, 503]);
    isThere = true;
    later(30);
    expect([(await ask('/ready')).status, looked]).toEqual([503, 1]);
    later(1);
    expect([(await ask('/ready')).status, looked]).toEqual([200, 2]);
  });
});
