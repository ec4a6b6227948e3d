import { deepEqual, equal, match, notEqual, ok } from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { downloadAll, type Finished } from '#test/support/download.ts';

export interface Subject {
  readonly version: string;
  readonly target: string;
  readonly profile: string;
}

export interface Asked {
  readonly url: string;
  /** A request that the server can build. */
  readonly subject: Subject;
  /** Milliseconds after which the check stops waiting for the build. */
  readonly patienceMs: number;
}

/** A check that any server of this API passes, in any language: it uses nothing but HTTP. */
export interface Check {
  readonly name: string;
  /** Whether the check makes the server build an image; the others are cheap. */
  readonly builds?: true;
  /** Rejects with the reason when the server breaks the promise. */
  run(asked: Asked): Promise<void>;
}

const HASH = /^[0-9a-f]{64}$/;
const NOBODYS = '0'.repeat(64);
const BUILD = '/api/v1/build';

const get =
  (path: string, init: RequestInit = {}) =>
  (asked: Asked) =>
    fetch(asked.url + path, { redirect: 'manual', ...init });
const post = ({ url }: Asked, path: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(url + path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
const json = async (response: Response) => (await response.json()) as Record<string, unknown>;

/** Asserts the shape of every refusal: a numeric status, a title, and a detail that clients can show unchanged. */
async function refused(response: Response, status: number): Promise<Record<string, unknown>> {
  equal(response.status, status);
  const body = await json(response);
  deepEqual([body['status'], typeof body['title'], typeof body['detail']], [status, 'string', 'string']);
  equal(response.headers.get('Access-Control-Allow-Origin'), '*');
  return body;
}

export const CHECKS: readonly Check[] = [
  {
    name: 'health names the service and its version',
    run: async (asked) => {
      const body = await json(await get('/health')(asked));
      for (const field of ['service', 'status', 'version', 'timestamp']) equal(typeof body[field], 'string', field);
    },
  },
  {
    name: 'the API document is served, and describes building and preparing',
    run: async (asked) => {
      const document = await json(await get('/api/v1/openapi.json')(asked));
      match(String(document['openapi']), /^3\.1\./);
      const paths = Object.keys(document['paths'] as object);
      for (const path of [BUILD, `${BUILD}/prepare`, '/api/v1/prepare']) ok(paths.includes(path), path);
    },
  },
  {
    name: 'the overview lists branches and the latest releases',
    run: async (asked) => {
      const overview = await json(await get('/json/v1/overview.json')(asked));
      ok(Array.isArray(overview['latest']) && overview['latest'].length > 0);
      equal(typeof overview['branches'], 'object');
      deepEqual(await json(await get('/json/v1/latest.json')(asked)), { latest: overview['latest'] });
    },
  },
  {
    name: 'every answer is for every origin, errors too, and preflights allow posting JSON',
    run: async (asked) => {
      for (const path of ['/health', '/no/such/page']) {
        const { headers } = await get(path, { headers: { Origin: 'https://page.example' } })(asked);
        deepEqual([headers.get('Access-Control-Allow-Origin'), headers.get('Access-Control-Allow-Credentials')], ['*', null]);
      }
      const preflight = await get(BUILD, { method: 'OPTIONS', headers: { Origin: 'https://page.example' } })(asked);
      ok(preflight.ok);
      match(preflight.headers.get('Access-Control-Allow-Methods') ?? '', /POST/);
      match(preflight.headers.get('Access-Control-Allow-Headers') ?? '', /content-type/i);
    },
  },
  {
    name: 'a correlation id is echoed, and one is made where there is none',
    run: async (asked) => {
      const id = `conformance-${randomUUID()}`;
      equal((await get('/health', { headers: { 'X-Correlation-Id': id } })(asked)).headers.get('X-Correlation-Id'), id);
      ok((await get('/health')(asked)).headers.get('X-Correlation-Id'));
    },
  },
  {
    name: 'what is nowhere is 404, what may not be done is 405 and says what may',
    run: async (asked) => {
      await refused(await get('/no/such/page')(asked), 404);
      const response = await get(BUILD, { method: 'PUT' })(asked);
      match(response.headers.get('Allow') ?? '', /POST/);
      await refused(response, 405);
    },
  },
  {
    name: 'HEAD is GET without its body',
    run: async (asked) => {
      for (const [path, status] of [
        ['/json/v1/latest.json', 200],
        [`${BUILD}/${NOBODYS}`, 404],
      ] as const) {
        const [head, whole] = [await get(path, { method: 'HEAD' })(asked), await get(path)(asked)];
        deepEqual([head.status, whole.status], [status, status]);
        equal(head.headers.get('Content-Type'), whole.headers.get('Content-Type'));
        equal(await head.text(), '');
      }
    },
  },
  {
    name: 'an unknown request hash is 404, and `prepare` is none',
    run: async (asked) => {
      await refused(await get(`${BUILD}/${NOBODYS}`)(asked), 404);
      notEqual((await get(`${BUILD}/prepare`)(asked)).status, 200);
    },
  },
  {
    name: 'what is no request is 422 and says where: no JSON, fields missing, of the wrong kind',
    run: async (asked) => {
      const wrong = ['{', {}, { ...asked.subject, packages: 'vim' }, { ...asked.subject, version: 1 }];
      for (const path of [BUILD, `${BUILD}/prepare`, '/api/v1/prepare'])
        for (const body of wrong) {
          const { errors } = await refused(await post(asked, path, body), 422);
          ok(Array.isArray(errors) && errors.every((one) => Array.isArray(one.loc) && typeof one.msg === 'string'), path);
        }
    },
  },
  {
    name: 'text that a shell or make would run is refused',
    run: async (asked) => {
      for (const packages of [['$(shell id)'], ['`id`'], ['a;id'], ["a'b"], ['a b']])
        await refused(await post(asked, BUILD, { ...asked.subject, packages }), 422);
      await refused(await post(asked, BUILD, { ...asked.subject, profile: '$(id)' }), 422);
    },
  },
  {
    name: 'what upstream does not have is 400: the version, the target',
    run: async (asked) => {
      await refused(await post(asked, BUILD, { ...asked.subject, version: '99.99.99' }), 400);
      await refused(await post(asked, BUILD, { ...asked.subject, target: 'no/such' }), 400);
    },
  },
  {
    name: 'packages that there are not are 422 by name, before anything is queued',
    run: async (asked) => {
      const { errors } = await refused(await post(asked, BUILD, { ...asked.subject, packages: ['no-such-package-at-all'] }), 422);
      deepEqual((errors as { packages: unknown }[])[0]?.packages, ['no-such-package-at-all']);
    },
  },
  {
    name: 'prepare answers alike at both paths, explains itself, and gives a request to post',
    run: async (asked) => {
      const [alone, build] = await Promise.all(
        ['/api/v1/prepare', `${BUILD}/prepare`].map(async (path) => json(await post(asked, path, asked.subject))),
      );
      ok(alone !== undefined && build !== undefined);
      match(String(alone['request_hash']), HASH);
      for (const field of ['status', 'request_hash', 'resolved_packages', 'changes', 'prepared_request'])
        deepEqual(build[field], alone[field], field);
      equal(typeof build['cache_available'], 'boolean');
      const again = await json(await post(asked, '/api/v1/prepare', alone['prepared_request']));
      equal(again['request_hash'], alone['request_hash']);
    },
  },
  {
    name: 'one request is one hash, in whatever order its packages come',
    run: async (asked) => {
      const hashOf = async (packages: string[]) =>
        (await json(await post(asked, '/api/v1/prepare', { ...asked.subject, packages })))['request_hash'];
      const [one, other, third] = [await hashOf(['-luci', '-uhttpd']), await hashOf(['-uhttpd', '-luci']), await hashOf(['-luci'])];
      match(String(one), HASH);
      equal(one, other);
      notEqual(one, third);
    },
  },
  {
    name: 'a build is accepted, tells where it stands, and ends with every file as announced',
    builds: true,
    run: async (asked) => {
      const accepted = await post(asked, BUILD, asked.subject);
      const first = await json(accepted);
      ok([200, 202].includes(accepted.status), `${accepted.status} ${first['detail']}`);
      match(String(first['request_hash']), HASH);
      const deadline = Date.now() + asked.patienceMs;
      let answer = await get(`${BUILD}/${first['request_hash']}`)(asked);
      while (answer.status === 202 && Date.now() < deadline) {
        ok(answer.headers.get('X-Imagebuilder-Status'));
        await delay(1_000);
        answer = await get(`${BUILD}/${first['request_hash']}`)(asked);
      }
      const done = await json(answer);
      equal(answer.status, 200, String(done['detail']));
      await downloadAll(asked.url, done as unknown as Finished);
      const cached = await post(asked, BUILD, asked.subject);
      deepEqual([cached.status, (await json(cached))['bin_dir']], [200, done['bin_dir']]);
    },
  },
];
