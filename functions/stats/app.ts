import type { QueuePositions } from '#core/build/ports.ts';
import type { Branch } from '#core/catalogue/branches.ts';
import type { Catalogue } from '#core/catalogue/catalogue.ts';
import { readBranches, readLatest, type ServerFacts } from '#core/catalogue/overview.ts';
import { MAX_BUILD_ERRORS, type Ranked } from '#core/statistics/counts.ts';
import type { StatisticsReport } from '#core/statistics/ports.ts';
import {
  buildErrorsText,
  buildsByVersion,
  buildsPerDay,
  CHART_DAYS,
  countBuildsOfLastDay,
  readFiguresByDay,
  readVersionsOfHalfYear,
} from '#core/statistics/published-statistics.ts';
import type { Clock, Monotonic } from '#core/stores.ts';
import { overviewPage } from '#http/html/overview-page.ts';
import { pageResponse } from '#http/html/page.ts';
import { statsPage } from '#http/html/stats-page.ts';
import { type Routes, routes } from '#http/http-app.ts';
import { jsonResponse } from '#http/json-response.ts';
import { queryInteger } from '#http/query-parameters.ts';
import { cachedValue } from './cached-value.ts';

export interface StatsAppDeps {
  readonly report: StatisticsReport;
  readonly positions: QueuePositions;
  readonly catalogue: Catalogue;
  readonly branches: () => readonly Branch[];
  readonly upstreamUrl: string;
  readonly serverFacts: () => ServerFacts;
  readonly now: Clock;
  /** Default: the clock of this process. */
  readonly monotonic?: Monotonic;
  /** How old an answer may be. Answers that are expensive to make may be five times as old. */
  readonly maxAgeMs?: number;
}

const MAX_AGE_MS = 2_000;
const MAX_PACKAGES = 100;
/** The most errors in one answer. The list itself may have MAX_BUILD_ERRORS. */
const MAX_ERRORS = Math.min(500, MAX_BUILD_ERRORS);
const RANKED_ON_PAGE = 20;

/** Serves figures about requests and builds: `/api/v1/stats**`, its charts, and the two plain pages `/` and `/stats`. */
export function statsApp(deps: StatsAppDeps): Routes {
  const { report, positions, now, monotonic, maxAgeMs = MAX_AGE_MS } = deps;
  const cheap = <T>(make: () => Promise<T>) => cachedValue(make, maxAgeMs, monotonic);
  const expensive = <T>(make: () => Promise<T>) => cachedValue(make, 5 * maxAgeMs, monotonic);
  const lastDay = cheap(() => countBuildsOfLastDay(deps));
  const days = cheap(() => readFiguresByDay(deps));
  const errors = cheap(() => report.errors(MAX_ERRORS));
  const versions = expensive(() => readVersionsOfHalfYear(deps));
  const topPackages = rankedByBranch(deps, expensive);
  const ofThirtyDays = (kind: 'target' | 'client') => expensive(() => report.top(kind, firstDay(now()), now(), { limit: RANKED_ON_PAGE }));
  const topTargets = ofThirtyDays('target');
  const topClients = ofThirtyDays('client');
  const topSubjects = expensive(() => report.subjects(firstDay(now()), now(), RANKED_ON_PAGE));
  const offer = expensive(async () => ({ ...(await readLatest(catalogueOf(deps))), branches: await readBranches(catalogueOf(deps)) }));

  const overview = cheap(async () =>
    overviewPage({
      ...(await offer().catch(() => ({ latest: [], branches: [] }))),
      facts: deps.serverFacts(),
      upstreamUrl: deps.upstreamUrl,
      waiting: await positions.waiting(),
      running: await positions.running(),
      buildsOfLastDay: await lastDay(),
    }),
  );
  const stats = cheap(async () =>
    statsPage({
      serverVersion: deps.serverFacts().version,
      waiting: await positions.waiting(),
      running: await positions.running(),
      buildsOfLastDay: await lastDay(),
      days: await days(),
      versions: buildsByVersion(await versions()),
      packages: (await topPackages(undefined)).slice(0, RANKED_ON_PAGE),
      targets: await topTargets(),
      clients: await topClients(),
      subjects: await topSubjects(),
      errors: (await errors()).slice(0, RANKED_ON_PAGE),
    }),
  );

  return routes()
    .get('/api/v1/stats', async () => fresh({ queue_length: await positions.waiting() }))
    .get('/api/v1/stats/summary', async () => fresh({ queue_length: await positions.waiting(), builds_24h: await lastDay() }))
    .get('/api/v1/builds-per-day', async () => aged(buildsPerDay(await days())))
    .get('/api/v1/builds-by-version', async (c) => aged(buildsByVersion(await versions(), c.req.query('branch') || undefined)))
    .get('/api/v1/top-packages', async (c) => {
      const n = queryInteger('n', c.req.query('n'), { fallback: 30, min: 0, max: MAX_PACKAGES });
      const branch = c.req.query('branch') || undefined;
      return aged({ packages: (await topPackages(branch)).slice(0, n), branch: branch ?? null, days: CHART_DAYS });
    })
    .get('/api/v1/build-errors', async (c) => {
      const n = queryInteger('n', c.req.query('n'), { fallback: 100, min: 1, max: MAX_ERRORS });
      const text = buildErrorsText((await errors()).slice(0, n));
      return new Response(text, { headers: { ...TEXT, 'Content-Length': String(Buffer.byteLength(text)) } });
    })
    .get('/', async () => pageResponse(await overview()))
    .get('/stats', async () => pageResponse(await stats()));
}

/** The most wanted packages, cached for all builds and for each branch. Other branches have none. */
function rankedByBranch({ report, branches, now }: StatsAppDeps, cache: <T>(make: () => Promise<T>) => () => Promise<T>) {
  const cached = new Map<string | undefined, () => Promise<readonly Ranked[]>>();
  return async (branch: string | undefined): Promise<readonly Ranked[]> => {
    if (branch !== undefined && !branches().some(({ name }) => name === branch)) return [];
    let ranked = cached.get(branch);
    if (ranked === undefined) {
      ranked = cache(() => report.top('package', firstDay(now()), now(), { limit: MAX_PACKAGES, ...(branch !== undefined && { branch }) }));
      cached.set(branch, ranked);
    }
    return ranked();
  };
}

const firstDay = (today: Date) => new Date(today.getTime() - (CHART_DAYS - 1) * 86_400_000);

const catalogueOf = ({ catalogue, branches }: StatsAppDeps) => ({ catalogue, branches: branches() });

const TEXT = {
  'Content-Type': 'text/plain; charset=utf-8',
  'Cache-Control': 'public, max-age=5',
  'X-Content-Type-Options': 'nosniff',
};

const fresh = (value: unknown) => jsonResponse(200, JSON.stringify(value), { 'Cache-Control': 'no-store' });
const aged = (value: unknown) => jsonResponse(200, JSON.stringify(value), { 'Cache-Control': 'public, max-age=5' });
