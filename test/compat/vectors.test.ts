import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEFAULT_BRANCHES } from '#core/catalogue/branches.ts';
import type { Answer } from '#test/support/ask.ts';
import { startTestServer, type TestServer } from '#test/support/test-server.ts';
import { DEVIATIONS, expectedAnswer, RULES } from './support/deviations.ts';
import { dataUrl, type Recorded, type Vector, vectors } from './support/vectors.ts';

/** The headers that were recorded or that a deviation names. */
const COMPARED_HEADERS = [
  'content-type',
  'location',
  'allow',
  'x-imagebuilder-status',
  'x-queue-position',
  'retry-after',
  'access-control-allow-methods',
  'access-control-allow-headers',
  'access-control-max-age',
];

const BRANCHES = JSON.stringify({
  ...Object.fromEntries(DEFAULT_BRANCHES.map(({ name, ...branch }) => [name, branch])),
  '1.2': { path: 'releases/{version}', enabled: true },
  '19.07': { path: 'releases/{version}', enabled: true },
});

const RECORDED_UPSTREAM = 'http://127.0.0.1:8123';
const TARGET = '/releases/1.2.3/targets/testtarget/testsubtarget';
const RECORDED_HASH = /[0-9a-f]{64}/;

/** The servers of the recording, by the text that describes them. */
const SERVERS: readonly (readonly [described: string, env: Readonly<Record<string, string>>])[] = [
  ['no worker; redis without TimeSeries; max_pending 200; defaults off; allow list empty', { MAX_PENDING_JOBS: '200' }],
  [
    'MAX_PENDING_JOBS=1 ALLOW_DEFAULTS=1 REPOSITORY_ALLOW_LIST=[https://example.com/ok]',
    { MAX_PENDING_JOBS: '1', ALLOW_DEFAULTS: '1', REPOSITORY_ALLOW_LIST: '["https://example.com/ok"]' },
  ],
  ['no worker; defaults as in v_main', { MAX_PENDING_JOBS: '200' }],
];

/** 100.0 is a number that JSON.stringify does not write. */
const BODY_TEXTS: Readonly<Record<string, (body: object) => string>> = {
  x_rootfs_100_0: (body) => JSON.stringify(body).replace('"rootfs_size_mb":100', '"rootfs_size_mb":100.0'),
};

describe('the recorded answers of the reference server', () => {
  it('are replayed on servers that we know how to configure', () => {
    expect([...new Set(vectors.map(({ server }) => server))].sort()).toEqual(SERVERS.map(([described]) => described).sort());
  });

  it('deviate only in existing vectors', () => {
    const names = vectors.map(({ name }) => name);
    expect(Object.keys(DEVIATIONS).filter((name) => !names.includes(name))).toEqual([]);
    for (const { because, applies } of RULES) expect([because, vectors.some(applies)]).toEqual([because, true]);
  });

  describe.each(SERVERS)('%s', (described, env) => {
    let server: TestServer;
    /** Our hash for each recorded one. */
    const hashes = new Map<string, string>();
    let waiting = 0;

    beforeAll(async () => {
      server = await startTestServer({
        upstreamDirectory: fileURLToPath(dataUrl('upstream')),
        env: { ...env, BRANCHES, WORKER_CONCURRENT: '0' },
      });
      // Builds are only queued, so a published ImageBuilder is enough. Without a package index the server refuses nothing early.
      server.upstream.overlay(
        `${TARGET}/sha256sums`,
        `${'0'.repeat(64)} *openwrt-imagebuilder-1.2.3-testtarget-testsubtarget.Linux-x86_64.tar.xz\n`,
      );
    });
    afterAll(() => server.close());

    it.each(vectors.filter((vector) => vector.server === described))('$name', async (vector) => {
      await fillQueue(vector);
      const { method, path, headers } = vector.request;
      const { expected, because } = expectedAnswer(vector);
      const known = path.replace(RECORDED_HASH, (hash) => hashes.get(hash) ?? hash);
      const answer = await server.ask(known, { method, headers, body: bodyText(vector) });
      expect(comparable(answer), because.join('; ') || 'as recorded').toEqual(ours(expected));
      if (because.length > 0) expect(comparable(answer), `needless: ${because.join('; ')}`).not.toEqual(ours(vector.response));
      compareJob(answer, vector.response);

      expect(answer.headerLines.filter(([name]) => name === 'access-control-allow-origin')).toHaveLength(1);
      expect(answer.header('content-encoding')).toBeUndefined();
    });

    /** The recording lacks some of the queued requests; other requests take their places. */
    async function fillQueue({ response }: Vector): Promise<void> {
      const { queue_position: position } = response.body as { queue_position?: number };
      for (; waiting < (position ?? 0); waiting++) {
        const body = JSON.stringify({
          version: '1.2.3',
          target: 'testtarget/testsubtarget',
          profile: 'testprofile',
          packages: [`filler-${waiting}`],
        });
        await server.ask('/api/v1/build', { method: 'POST', body, headers: { 'Content-Type': 'application/json' } });
      }
    }

    /** Our hashes differ from the recorded ones, but equal hashes stay equal, and different ones different. */
    function compareJob(answer: Answer, recorded: Recorded): void {
      if (answer.status !== 202 || answer.text === '') return;
      const job = JSON.parse(answer.text) as { request_hash: string; enqueued_at: string; queue_position: number };
      expect(job.request_hash).toMatch(/^[0-9a-f]{64}$/);
      expect(job.enqueued_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/);
      waiting = Math.max(waiting, job.queue_position + 1);
      const { request_hash: hash } = recorded.body as { request_hash?: string };
      if (hash === undefined) return;
      const isKnown = hashes.has(hash);
      expect(hashes.get(hash) ?? job.request_hash).toBe(job.request_hash);
      if (!isKnown) expect([...hashes.values()]).not.toContain(job.request_hash);
      hashes.set(hash, job.request_hash);
    }

    const comparable = (answer: Answer) => ({
      status: answer.status,
      headers: Object.fromEntries(
        COMPARED_HEADERS.flatMap((name) => {
          const value = answer.header(name);
          return value === undefined ? [] : [[name, normalHeader(name, value)]];
        }),
      ),
      body: parsed(answer),
    });

    /** The recorded or expected value with this server's upstream, hashes and times. */
    const ours = ({ status, headers, body }: Recorded) => ({
      status,
      headers: {
        ...(status === 202 && { 'retry-after': expect.stringMatching(/^[1-9]\d*$/) }),
        ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, normalHeader(name, value)])),
      },
      body:
        status === 202 && body !== '' ? { ...(body as object), enqueued_at: expect.any(String), request_hash: expect.any(String) } : body,
    });

    const parsed = ({ text, header }: Answer): unknown => {
      if (header('content-type') !== 'application/json' || text === '') return text;
      return JSON.parse(text.replaceAll(JSON.stringify(server.upstream.url), JSON.stringify(RECORDED_UPSTREAM)));
    };
  });
});

const bodyText = ({ name, request: { body } }: Vector): string | undefined => {
  if (body === null) return undefined;
  return typeof body === 'string' ? body : (BODY_TEXTS[name] ?? JSON.stringify)(expanded(body as object));
};

/** Expands `<😀 x 20480>` to that many characters. */
const expanded = (body: object): object =>
  Object.fromEntries(
    Object.entries(body).map(([key, value]) => {
      const [, text = '', count] = /^<(.+) x (\d+)>$/u.exec(String(value)) ?? [];
      return [key, count === undefined ? value : text.repeat(Number(count))];
    }),
  );

const normalHeader = (name: string, value: unknown) =>
  name === 'allow' && typeof value === 'string' ? value.split(', ').sort().join(', ') : value;
