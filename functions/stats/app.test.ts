import { beforeEach, describe, expect, it } from 'vitest';
import { sqliteBuildTable } from '#adapters/sqlite/build-table.ts';
import { openSqlite } from '#adapters/sqlite/open-sqlite.ts';
import { sqliteQueuePositions } from '#adapters/sqlite/queue-positions.ts';
import { sqliteStatistics } from '#adapters/sqlite/statistics.ts';
import { DEFAULT_BRANCHES } from '#core/catalogue/branches.ts';
import type { Catalogue } from '#core/catalogue/catalogue.ts';
import type { BuildEnd } from '#core/statistics/counts.ts';
import type { Statistics, StatisticsReport } from '#core/statistics/ports.ts';
import { httpApp } from '#http/http-app.ts';
import { jsonLog } from '#observe/log.ts';
import { claimed } from '#test/contracts/drive-build.ts';
import { freshHash } from '#test/contracts/sample-builds.ts';
import { statsApp } from './app.ts';

const NOW = '2026-11-20T12:30:00.000Z';
const hoursAgo = (hours: number) => new Date(Date.parse(NOW) - hours * 3_600_000).toISOString();
const daysAgo = (days: number) => hoursAgo(24 * days);

/** Upstream has two releases or nothing at all; this app does not depend on more. */
const catalogueOf = (list: readonly string[]): Catalogue => ({
  versions: async () => {
    if (list.length === 0) throw new Error('upstream is down');
    return { stable: list[0] ?? '', list };
  },
  hasVersion: async () => true,
  hasArch: async () => true,
  targets: async () => ({ 'x86/64': 'x86_64' }),
  target: async () => undefined,
  packages: async () => undefined,
  feeds: async () => ({}),
});

function appWith(options: { versions?: readonly string[]; contact?: string } = {}) {
  const db = openSqlite(':memory:');
  const statistics: Statistics & StatisticsReport = sqliteStatistics(db);
  const clock = { now: new Date(NOW) };
  const app = httpApp(
    { log: jsonLog('silent', () => undefined) },
    statsApp({
      report: statistics,
      positions: sqliteQueuePositions(db),
      catalogue: catalogueOf(options.versions ?? ['24.10.2', '24.10.1', '23.05.5']),
      branches: () => DEFAULT_BRANCHES,
      upstreamUrl: 'https://downloads.openwrt.org',
      serverFacts: () => ({
        version: '1.2.3',
        contact: options.contact ?? '',
        allow_defaults: true,
        repository_allow_list: ['https://example.com/feeds?a=1&b=<2>'],
        max_custom_rootfs_size_mb: 1024,
        max_defaults_length: 20480,
      }),
      now: () => clock.now,
      monotonic: () => clock.now.getTime(),
    }),
  );
  const get = (path: string, init?: RequestInit) => app.request(path, init);
  const json = async (path: string) => (await (await get(path)).json()) as Record<string, unknown>;
  return { builds: sqliteBuildTable(db), statistics, clock, get, json };
}

const end = (endedAt: string, more: Partial<BuildEnd> = {}): BuildEnd => ({
  hash: freshHash(),
  enqueuedAt: endedAt,
  endedAt,
  outcome: 'success',
  milliseconds: 2_000,
  subject: { branch: '24.10', version: '24.10.2', target: 'x86/64', profile: 'generic' },
  packages: [],
  ...more,
});
const version = (name: string, branch: string) => ({ subject: { branch, version: name, target: 'x86/64', profile: 'generic' } });

let server: ReturnType<typeof appWith>;
beforeEach(() => {
  server = appWith();
});

type Chart = { labels: string[]; datasets: { label: string; data: number[]; color?: string }[] };

describe('/api/v1/stats', () => {
  it('counts the builds that wait, at this moment', async () => {
    expect(await server.json('/api/v1/stats')).toEqual({ queue_length: 0 });
    await claimed(server.builds);
    await claimed(server.builds);
    expect(await server.json('/api/v1/stats')).toEqual({ queue_length: 2 });
    expect(await server.json('/api/v1/stats/summary')).toEqual({ queue_length: 2, builds_24h: 0 });
  });

  it('sums up the successes of the last 24 hours', async () => {
    for (const hours of [0, 1, 23, 26, 48]) await server.statistics.ended(end(hoursAgo(hours)));
    await server.statistics.ended(end(hoursAgo(1), { outcome: 'failure' }));
    expect(await server.json('/api/v1/stats/summary')).toEqual({ queue_length: 0, builds_24h: 3 });
  });

  it('answers with figures that are at most some seconds old', async () => {
    expect(await server.json('/api/v1/stats/summary')).toMatchObject({ builds_24h: 0 });
    await server.statistics.ended(end(hoursAgo(0)));
    server.clock.now = new Date(Date.parse(NOW) + 1_000);
    expect(await server.json('/api/v1/stats/summary')).toMatchObject({ builds_24h: 0 });
    server.clock.now = new Date(Date.parse(NOW) + 60_000);
    expect(await server.json('/api/v1/stats/summary')).toMatchObject({ builds_24h: 1 });
  });
});

describe('/api/v1/builds-per-day', () => {
  it('has thirty days up to today, all zeros at first', async () => {
    const chart = (await server.json('/api/v1/builds-per-day')) as unknown as Chart;
    expect(chart.labels).toHaveLength(30);
    expect(chart.labels[0]).toBe('2026-10-22Z');
    expect(chart.labels.at(-1)).toBe('2026-11-20Z');
    const data = Array.from({ length: 30 }, () => 0);
    expect(chart.datasets).toEqual([
      { label: 'Requests', data, color: 'green' },
      { label: 'Cache-Hits', data, color: 'orange' },
      { label: 'Failures', data, color: 'red' },
    ]);
  });

  it('puts each day where it belongs', async () => {
    await server.statistics.count({ at: NOW, hits: 3, joined: 2, rejected: 1, clients: {}, subjects: {} });
    await server.statistics.ended(end(NOW, { outcome: 'failure' }));
    await server.statistics.ended(end(daysAgo(29)));
    await server.statistics.ended(end(daysAgo(30)));
    const { datasets } = (await server.json('/api/v1/builds-per-day')) as unknown as Chart;
    const ends = (label: string) => datasets.find((set) => set.label === label)?.data;
    expect([ends('Requests')?.[0], ends('Requests')?.[29]]).toEqual([1, 7]);
    expect(ends('Requests')?.reduce((sum, n) => sum + n, 0)).toBe(8);
    expect([ends('Cache-Hits')?.[29], ends('Failures')?.[29]]).toEqual([3, 1]);
  });
});

describe('/api/v1/builds-by-version', () => {
  beforeEach(async () => {
    for (const [days, name, branch] of [
      [0, '24.10.2', '24.10'],
      [6, '24.10.1', '24.10'],
      [7, '24.10-SNAPSHOT', '24.10'],
      [181, 'SNAPSHOT', 'SNAPSHOT'],
      [182, '23.05.5', '23.05'],
    ] as const)
      await server.statistics.ended(end(daysAgo(days), version(name, branch)));
  });

  it('has 26 weeks, the last ending today, by series', async () => {
    const chart = (await server.json('/api/v1/builds-by-version')) as unknown as Chart;
    expect(chart.labels).toHaveLength(26);
    expect(chart.labels.at(-1)).toBe('2026-11-14Z');
    expect(chart.labels.at(-2)).toBe('2026-11-07Z');
    const week = (...at: [number, number][]) => Array.from({ length: 26 }, (_, i) => at.find(([w]) => w === i)?.[1] ?? 0);
    expect(chart.datasets).toEqual([
      { label: '24.10', data: week([25, 2], [24, 1]) },
      { label: 'SNAPSHOT', data: week([0, 1]) },
    ]);
  });

  it('has the versions of one branch', async () => {
    const { datasets } = (await server.json('/api/v1/builds-by-version?branch=24.10')) as unknown as Chart;
    expect(datasets.map(({ label }) => label)).toEqual(['24.10-SNAPSHOT', '24.10.1', '24.10.2']);
    expect((await server.json('/api/v1/builds-by-version?branch=nope'))['datasets']).toEqual([]);
  });
});

describe('/api/v1/top-packages', () => {
  it('is ranked, for one branch or all, and has the requested length', async () => {
    await server.statistics.ended(end(NOW, { packages: ['vim', 'luci'] }));
    await server.statistics.ended(end(daysAgo(3), { packages: ['luci'], ...version('23.05.5', '23.05') }));
    const [luci, vim] = [
      { name: 'luci', count: 2 },
      { name: 'vim', count: 1 },
    ];
    expect(await server.json('/api/v1/top-packages')).toEqual({ packages: [luci, vim], branch: null, days: 30 });
    expect(await server.json('/api/v1/top-packages?n=1')).toEqual({ packages: [luci], branch: null, days: 30 });
    expect(await server.json('/api/v1/top-packages?n=0')).toMatchObject({ packages: [] });
    expect(await server.json('/api/v1/top-packages?branch=23.05')).toEqual({
      packages: [{ name: 'luci', count: 1 }],
      branch: '23.05',
      days: 30,
    });
    expect(await server.json('/api/v1/top-packages?branch=9.9')).toEqual({ packages: [], branch: '9.9', days: 30 });
  });

  it('has at most a hundred', async () => {
    await server.statistics.ended(end(NOW, { packages: Array.from({ length: 150 }, (_, i) => `package-${i}`) }));
    expect((await server.json('/api/v1/top-packages?n=100000'))['packages']).toHaveLength(100);
    expect((await server.json('/api/v1/top-packages'))['packages']).toHaveLength(30);
  });
});

describe('/api/v1/build-errors', () => {
  it('says when there are none', async () => {
    const response = await server.get('/api/v1/build-errors');
    expect(response.headers.get('Content-Type')).toBe('text/plain; charset=utf-8');
    expect(await response.text()).toBe('No build errors recorded.');
  });

  it('lists the newest first, with their span', async () => {
    for (const i of [1, 2, 3])
      await server.statistics.ended(end(`2026-11-0${i}T01:02:03.456Z`, { outcome: 'failure', error: `Error ${i}` }));
    expect(await (await server.get('/api/v1/build-errors?n=2')).text()).toBe(
      [
        'Build Errors: 2 entries',
        'Time range: 2026-11-02 01:02:03 to 2026-11-03 01:02:03',
        '',
        'Recent errors:',
        '------------------------------------------------------------',
        '2026-11-03 01:02:03 24.10.2:x86/64:generic Error 3',
        '2026-11-02 01:02:03 24.10.2:x86/64:generic Error 2',
      ].join('\n'),
    );
  });
});

describe('n', () => {
  it.each(['/api/v1/build-errors', '/api/v1/top-packages'])('must be a number: %s', async (path) => {
    for (const n of ['x', '', '1.5', '1e3', '0x10', '٣']) {
      const response = await server.get(`${path}?n=${encodeURIComponent(n)}`);
      expect(response.status).toBe(422);
      expect(await response.json()).toEqual({
        status: 422,
        title: 'Unprocessable Content',
        detail: 'n: Input should be a valid integer, unable to parse string as an integer',
        errors: [
          {
            type: 'int_parsing',
            loc: ['query', 'n'],
            msg: 'Input should be a valid integer, unable to parse string as an integer',
            input: n,
          },
        ],
      });
    }
    for (const n of ['5', '-5', '%2B5', '99999999999999999999', '5.0', '%205'])
      expect((await server.get(`${path}?n=${n}`)).status).toBe(200);
  });
});

describe.each(['/', '/stats'])('the page %s', (path) => {
  const text = async (from = server) => (await from.get(path)).text();

  it('is self-contained HTML: it has no script, loads nothing, and has a policy that forbids both', async () => {
    const response = await server.get(path);
    expect(response.status).toBe(200);
    expect(response.headers.get('Content-Type')).toBe('text/html; charset=utf-8');
    expect(response.headers.get('Content-Security-Policy')).toMatch(/^default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}='/);
    const page = await response.text();
    expect(Number(response.headers.get('Content-Length'))).toBe(Buffer.byteLength(page));
    expect(page).toMatch(/^<!DOCTYPE html>\n<html lang="en">/);
    expect(page).toMatch(/<title>[^<]*OpenWrt image server<\/title>/);
    expect(page).not.toMatch(/<script|src=|@import|url\(|style="|\son\w+=/i);
    expect(page.match(/<h1>/g)).toHaveLength(1);
  });

  it('closes every element and uses each id once', async () => {
    await server.statistics.ended(end(NOW, { packages: ['luci'] }));
    await server.statistics.ended(end(NOW, { outcome: 'failure', error: 'no' }));
    const page = (await text()).replace(/<style>[\s\S]*<\/style>/, '');
    const open: string[] = [];
    for (const [, slash, name = ''] of page.matchAll(/<(\/?)([a-z][a-z0-9]*)\b[^>]*>/g)) {
      if (['meta', 'link'].includes(name)) continue;
      if (slash === '') open.push(name);
      else expect(open.pop()).toBe(name);
    }
    expect(open).toEqual([]);
    const ids = [...page.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, id] of page.matchAll(/aria-labelledby="([^"]+)"/g)) expect(ids).toContain(id);
  });

  it('still answers when nothing is known of upstream', async () => {
    const lonely = appWith({ versions: [] });
    expect((await lonely.get(path)).status).toBe(200);
    expect(await text(lonely)).not.toContain('undefined');
  });
});

describe('what pages show', () => {
  it('is escaped', async () => {
    const evil = `<img src=x onerror=alert(1)>"'&`;
    await server.statistics.ended(end(NOW, { packages: [evil], ...version(evil, evil) }));
    await server.statistics.ended(end(NOW, { outcome: 'failure', error: evil, ...version(evil, evil) }));
    await server.statistics.count({ at: NOW, hits: 1, joined: 0, rejected: 0, clients: { [evil]: 1 }, subjects: {} });
    const stats = await (await server.get('/stats')).text();
    expect(stats).not.toContain('<img');
    expect(stats.split('&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;').length).toBeGreaterThan(4);
    const overview = await (await appWith({ contact: evil }).get('/')).text();
    expect(overview).not.toContain('<img');
    expect(overview).toContain('https://example.com/feeds?a=1&amp;b=&lt;2&gt;');
  });

  it('is the overview: versions, limits, queue, links', async () => {
    await claimed(server.builds);
    const page = await (await server.get('/')).text();
    expect(page).toContain('<dt>builds waiting</dt><dd>1</dd>');
    expect(page).toContain('<th scope="row">24.10</th><td class="n">1</td><td>24.10.2, 24.10.1, 24.10-SNAPSHOT</td>');
    expect(page).toContain('up to 20,480 characters');
    for (const path of ['/api/v1/docs', '/api/v1/openapi.json', '/json/v1/overview.json', '/stats'])
      expect(page).toContain(`href="${path}"`);
  });

  it('is the figures', async () => {
    const subjects = { '24.10.2 x86/64 generic': { requests: 1_236, hits: 1_233 } };
    await server.statistics.count({ at: NOW, hits: 1_233, joined: 2, rejected: 1, clients: { 'owut/2026.04': 4 }, subjects });
    await server.statistics.ended(end(NOW, { packages: ['luci'] }));
    const page = await (await server.get('/stats')).text();
    expect(page).toContain('<dt>requests in 30 days</dt><dd>1,237</dd>');
    expect(page).toContain('<dt>average build</dt><dd>2.0 s</dd>');
    expect(page).toContain('<th scope="row">2026-11-20</th><td class="n">1,237</td><td class="n">1,233</td>');
    expect(page).toMatch(
      /24\.10\.2<\/th><td[^>]*>x86\/64<\/td><td[^>]*>generic<\/td><td[^>]*>1,236<\/td><td[^>]*>1,233<\/td><td[^>]*>0<\/td>/,
    );
    for (const name of ['luci', 'x86/64', 'owut/2026.04']) expect(page).toContain(`<th scope="row">${name}</th>`);
  });
});
