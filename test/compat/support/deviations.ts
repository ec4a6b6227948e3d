import { expect } from 'vitest';
import type { Recorded, Vector } from './vectors.ts';

/** A place where our answer differs from the recorded one, the paragraph of docs/contract.md §10 (or other reason) that allows it, and our answer. */
export interface Deviation {
  readonly because: string;
  readonly expected: (recorded: Recorded) => Recorded;
}

interface Rule extends Deviation {
  readonly applies: (vector: Vector) => boolean;
}

type Json = Record<string, unknown>;

/** Our answer to an error, which has one shape whatever the reference server sent. */
const problem = (status: number, title: string, detail: unknown = expect.any(String), more: Json = {}): Recorded => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: { status, title, detail, ...more },
});

const json = (status: number, body: unknown): Recorded => ({ status, headers: { 'content-type': 'application/json' }, body });
const badRequest = (detail: unknown) => problem(400, 'Bad Request', detail);
const overloaded = ({ body }: Recorded): Recorded => ({
  ...problem(429, 'Server overloaded', (body as Json)['detail']),
  headers: { 'content-type': 'application/json', 'retry-after': expect.stringMatching(/^[1-9]\d*$/) },
});

/** The answer for an accepted build that waits. */
const queued = (position: number): Recorded => ({
  status: 202,
  headers: { 'content-type': 'application/json', 'x-imagebuilder-status': 'queued', 'x-queue-position': String(position) },
  body: {
    status: 202,
    detail: 'queued',
    queue_position: position,
    enqueued_at: expect.any(String),
    request_hash: expect.any(String),
    eta_seconds: expect.any(Number),
  },
});

/** The reference server's complaints in our words, beside a readable detail. We leave out input that is long or private. */
function complaint(recorded: Json): unknown {
  const { type, loc, msg, input, ctx } = recorded;
  const isLong = typeof input === 'string' && input.length > 256;
  const shown = isLong ? {} : { input };
  // Our patterns are stricter (§10.23).
  if (type === 'string_pattern_mismatch') return expect.objectContaining({ type, loc, ...shown });
  return { type, loc, msg, ...shown, ...(ctx !== undefined && { ctx }) };
}

/** A published branch without the snapshot that the recorded upstream does not have. */
const withoutSnapshot = (branch: Json): Json => ({
  ...branch,
  versions: (branch['versions'] as string[]).filter((version) => !version.endsWith('-SNAPSHOT')),
});

const DAY_MS = 86_400_000;
/** `count` labels that are `step` days apart; the last one is `ago` days before today. */
const days = (count: number, step: number, ago: number) =>
  Array.from(
    { length: count },
    (_, index) => `${new Date(Date.now() - (ago + (count - 1 - index) * step) * DAY_MS).toISOString().slice(0, 10)}Z`,
  );

/** The deviations that hold for every answer of a kind. */
export const RULES: readonly Rule[] = [
  {
    because: '§10.1: 422 has a status and a readable detail, and the complaints in errors',
    applies: ({ response }) => response.status === 422,
    expected: ({ body }) =>
      problem(422, 'Unprocessable Content', expect.any(String), { errors: (body as { detail: Json[] }).detail.map(complaint) }),
  },
  {
    because: '§10.2: 400 has a title',
    applies: ({ response }) => response.status === 400,
    expected: ({ body }) => badRequest((body as Json)['detail']),
  },
  {
    because: '§10.2: 404 and 405 are {status, title, detail}, and the detail may say more',
    applies: ({ request, response }) =>
      request.method !== 'HEAD' && [404, 405].includes(response.status) && !Object.hasOwn(response.body as Json, 'title'),
    expected: ({ status, headers, body }) => ({
      status,
      headers,
      body: {
        status,
        title: status === 404 ? 'Not Found' : 'Method Not Allowed',
        detail: expect.stringMatching(new RegExp(`^${(body as { detail: string }).detail}`)),
      },
    }),
  },
  {
    because: '§10.4: a full queue is 429 and says when to return',
    applies: ({ response }) => response.status === 529,
    expected: overloaded,
  },
  {
    because: '§3: every 202 has eta_seconds',
    applies: ({ request, response }) => response.status === 202 && request.method !== 'HEAD',
    expected: (recorded) => ({ ...recorded, body: { ...(recorded.body as Json), eta_seconds: expect.any(Number) } }),
  },
  {
    because: '§10.25: the location after a trailing slash is relative',
    applies: ({ response }) => response.status === 307,
    expected: (recorded) => {
      const { pathname, search } = new URL(recorded.headers['location'] ?? '');
      return { ...recorded, headers: { location: pathname + search } };
    },
  },
];

const isDirectOverview: Deviation = {
  because: '§10.22: the overview is answered directly at all its paths',
  expected: () =>
    json(200, expect.objectContaining({ latest: expect.any(Array), branches: expect.any(Object), server: expect.any(Object) })),
};

/** The reference server refused `double_slash_post`. */
const oneMoreWaits: Deviation = {
  because: '§10.17: the build posted to //api/v1/build waits',
  expected: (recorded) => ({ ...recorded, body: { ...(recorded.body as Json), queue_length: 1 } }),
};

const isNoRepositoryOfOurs = (url: string): Deviation => ({
  because: '§10.14: the port counts, and .. is resolved before the prefix is compared',
  expected: () => badRequest(`Repository not allowed: ${url}`),
});

/** The deviations of a single vector, which replace the rules above. */
export const DEVIATIONS: Readonly<Record<string, Deviation>> = {
  api_overview_redirect: isDirectOverview,
  legacy_overview_redirect: isDirectOverview,
  double_slash_query: {
    because: '§10.17: //path keeps the query',
    expected: (recorded) => ({ ...recorded, headers: { location: '/api/v1/stats?x=1' } }),
  },
  double_slash_post: { because: '§10.17: POST to //path is answered in place', expected: () => queued(0) },
  x_head_double_slash: {
    because: '§10.17: HEAD of //path is redirected as GET is',
    expected: () => ({ status: 301, headers: { location: '/api/v1/stats' }, body: '' }),
  },
  revision_upstream_404: {
    because: '§10.2: every error has a title',
    expected: ({ body }) => problem(404, 'Not Found', (body as Json)['detail']),
  },
  builds_per_day: {
    because: 'the days are the last thirty; today has counted the requests of the vectors before',
    expected: ({ headers, body }) => ({
      status: 200,
      headers,
      body: {
        labels: days(30, 1, 0),
        datasets: (body as { datasets: { data: number[] }[] }).datasets.map((dataset, index) =>
          index === 0 ? { ...dataset, data: [...dataset.data.slice(1), expect.any(Number)] } : dataset,
        ),
      },
    }),
  },
  builds_by_version_no_timeseries: {
    because: 'docs/contract.md §6: the 500 is that of a Redis without TimeSeries, which ours does not need',
    expected: () => json(200, { labels: days(26, 7, 6), datasets: [] }),
  },
  stats: oneMoreWaits,
  stats_summary: oneMoreWaits,
  build_hash_post: {
    because: '§10.16: HEAD wherever GET is',
    expected: () => ({ ...problem(405, 'Method Not Allowed'), headers: { 'content-type': 'application/json', allow: 'GET, HEAD' } }),
  },
  store_traversal_plain: {
    because: '§10.2: .. is resolved before anything looks at the path, which then is none of the store’s',
    expected: () => problem(404, 'Not Found', 'Not Found: there is nothing at /run/redis.log'),
  },
  cors_preflight: {
    because: '§10.16: preflights are answered',
    expected: () => ({
      status: 204,
      headers: {
        'access-control-allow-methods': expect.stringContaining('POST'),
        'access-control-allow-headers': expect.stringMatching(/\bcontent-type\b/i),
        'access-control-max-age': expect.stringMatching(/^[1-9]\d*$/),
      },
      body: '',
    }),
  },
  e_no_user_agent: { because: '§10.5: the client is unknown/0', expected: () => queued(0) },
  x_client_empty_no_ua: { because: '§10.5: the client is unknown/0', expected: () => queued(0) },
  e_reload_profiles_500: {
    because: '§10.13: a target without profiles.json is unsupported, not a crash; §4: upstream lists it, so it may be there later',
    expected: () => {
      const detail = expect.stringMatching(/^Unsupported target: ramips\/mt7621\. The requested target was either dropped/);
      const errors = [expect.objectContaining({ code: 'target_not_mirrored', target: 'ramips/mt7621', detail })];
      const { headers, ...answer } = problem(400, 'Bad Request', detail, { errors });
      return { ...answer, headers: { ...headers, 'retry-after': expect.stringMatching(/^[1-9]\d*$/) } };
    },
  },
  q_plus_same_hash: {
    because: '§10.7: a leading + is dropped; what is left to refuse is the branch',
    expected: () => badRequest('Unsupported branch: 10.10.10'),
  },
  x_pkg_unicode_ok: {
    because: '§10.23: package names are ASCII',
    expected: () =>
      problem(422, 'Unprocessable Content', expect.any(String), {
        errors: [expect.objectContaining({ type: 'string_pattern_mismatch', loc: ['body', 'packages', 0] })],
      }),
  },
  v_bad_json: {
    because: '§2: what is wrong is told in the words of the JSON parser, which is another one',
    expected: ({ body }) => {
      const [error] = (body as { detail: Json[] }).detail;
      return problem(422, 'Unprocessable Content', expect.any(String), { errors: [{ ...error, ctx: { error: expect.any(String) } }] });
    },
  },
  o_repo_dotdot: isNoRepositoryOfOurs('https://example.com/ok/../bad'),
  o_repo_port: isNoRepositoryOfOurs('https://example.com:8443/ok/x'),
  branches: {
    because: '§10.28: the recorded upstream has no snapshot of any branch',
    expected: (recorded) => ({ ...recorded, body: (recorded.body as Json[]).map(withoutSnapshot) }),
  },
  o_overview_server: {
    because:
      '§10.27: contact is the operator’s to give; the server has a version of its own; §10.28: no snapshots of branches; §5: imagebuilders',
    expected: (recorded) => {
      const { branches, server, ...body } = recorded.body as { branches: Record<string, Json>; server: Json };
      const offered = Object.fromEntries(Object.entries(branches).map(([name, branch]) => [name, withoutSnapshot(branch)]));
      const known = { version: '1.2.3', revision: expect.any(String), available: true };
      offered['1.2'] = { ...offered['1.2'], imagebuilders: { 'testtarget/testsubtarget': known } };
      return { ...recorded, body: { ...body, branches: offered, server: { ...server, contact: '', version: expect.any(String) } } };
    },
  },
  x_prepare_absent: {
    because: '§6: the two-step build',
    expected: () => json(200, expect.objectContaining({ status: 'prepared', resolved_packages: ['test1', 'test2'] })),
  },
  x_prepare_get_is_hash: {
    because: '§6: GET /build/prepare is 405, never an unknown hash',
    expected: () => ({ ...problem(405, 'Method Not Allowed'), headers: { 'content-type': 'application/json', allow: 'POST' } }),
  },
  x_path_no_second_segment: {
    because: '§10.13: odd paths are not found, not a crash',
    expected: () => problem(404, 'Not Found'),
  },
};

/** The answer that our server must give to a vector, with the reason where it differs from the recording. */
export function expectedAnswer(vector: Vector): { expected: Recorded; because: readonly string[] } {
  const own = DEVIATIONS[vector.name];
  const used = own === undefined ? RULES.filter(({ applies }) => applies(vector)) : [own];
  return {
    expected: used.reduce((answer, { expected }) => expected(answer), vector.response),
    because: used.map(({ because }) => because),
  };
}
