import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { downloadAll, type Finished } from '#test/support/download.ts';
import type { AnsweredBuild, Recording } from './recordings.ts';

/** A server of this version that runs on the data of an earlier one. */
export interface UpgradedServer {
  /** Its address, which may change with `later`. */
  url(): string;
  /** The lines that its processes have logged so far. */
  lines(): readonly string[];
  /** Sweeps with a clock so far ahead that no cache holds a removed result any longer. */
  later(): Promise<void>;
  stop(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Finished & Readonly<Record<string, unknown>>;
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** The tests that hold every later version to the promises of an earlier one. Their order is that of one server's life. */
export function keepsPromises({ name, facts }: Recording, start: () => Promise<UpgradedServer>): void {
  let server: UpgradedServer;
  beforeAll(async () => {
    server = await start();
  });
  afterAll(() => server?.stop());

  const ask = async (path: string, body?: object): Promise<Answer> => {
    const response = await fetch(server.url() + path, { redirect: 'manual', ...(body && { method: 'POST', body: JSON.stringify(body) }) });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: text.startsWith('{') ? JSON.parse(text) : {} };
  };
  const get = (hash: string) => ask(`/api/v1/build/${hash}`);
  const ended = async (hash: string): Promise<Answer> => {
    for (;;) {
      const answer = await get(hash);
      if (answer.status !== 202) return answer;
      await pause(100);
    }
  };
  const isBuiltAnew = async ({ request, hash }: { request: object; hash: string }) => {
    const accepted = await ask('/api/v1/build', request);
    expect([accepted.status, accepted.body['request_hash']]).toEqual([202, hash]);
    const { status, body } = await ended(hash);
    expect([status, body['detail']]).toEqual([200, 'done']);
    await downloadAll(server.url(), body);
  };
  const isAnsweredAsBefore = (answer: Answer, { sha256: digest }: AnsweredBuild, status: 200 | 500) =>
    expect({ status: answer.status, sha256: sha256(answer.text) }).toEqual({ status, sha256: digest });

  describe(`data of ${name}`, () => {
    it.each(facts.accepted)('finishes an accepted build: one $name', async ({ hash }) => {
      const { status, body } = await ended(hash);
      expect([status, body['detail'], body['request_hash']]).toEqual([200, 'done', hash]);
      await downloadAll(server.url(), body);
    });

    it('goes on counting where the earlier version stopped', async () => {
      const { requests, hits, failures, successes, packages, errors } = facts.statistics;
      const sums = async (path: string) => {
        const { datasets } = (await ask(path)).body as unknown as { datasets: { label: string; data: number[] }[] };
        return Object.fromEntries(datasets.map(({ label, data }) => [label, data.reduce((sum, count) => sum + count, 0)]));
      };
      // The server counts an end just after clients can see it, and keeps such answers for some seconds.
      await expect
        .poll(() => sums('/api/v1/builds-by-version'), { timeout: 30_000 })
        .toEqual({
          '24.10': successes + facts.accepted.length,
        });
      expect(await sums('/api/v1/builds-per-day')).toEqual({ Requests: requests, 'Cache-Hits': hits, Failures: failures });
      const top = (await ask('/api/v1/top-packages')).body as unknown as { packages: { name: string; count: number }[] };
      const counts = Object.fromEntries(top.packages.map(({ name: packageName, count }) => [packageName, count]));
      for (const [packageName, count] of Object.entries(packages)) {
        const since = facts.accepted.filter(({ request }) => (request['packages'] as string[]).includes(packageName)).length;
        expect([packageName, counts[packageName]]).toEqual([packageName, count + since]);
      }
      const { text } = await ask('/api/v1/build-errors');
      for (const error of errors) expect(text).toContain(error);
    });

    it.each(facts.done)('answers a finished build as it was, and serves its files: one $name', async (build) => {
      for (let again = 0; again < 2; again += 1) {
        const answer = await get(build.hash);
        isAnsweredAsBefore(answer, build, 200);
        // A later version may say more about its caches.
        expect(answer.headers.get('cache-control')).toMatch(/^public, max-age=60(,|$)/);
        expect(answer.headers.get('x-imagebuilder-status')).toBe('done');
      }
      const { body } = await get(build.hash);
      const contents = await downloadAll(server.url(), body);
      expect(Object.keys(contents).map((file) => `/store/${body.bin_dir}/${file}`)).toEqual(build.files);
    });

    it.each(facts.done)('knows the request of a finished build: one $name', async (build) => {
      isAnsweredAsBefore(await ask('/api/v1/build', build.request), build, 200);
    });

    it.each(facts.privately)('keeps a private build, and keeps it private: one $name', async (build) => {
      for (let again = 0; again < 2; again += 1) {
        const answer = await get(build.hash);
        isAnsweredAsBefore(answer, build, 200);
        expect(answer.headers.get('cache-control')).toBe('private, no-store');
      }
      isAnsweredAsBefore(await ask('/api/v1/build', build.request), build, 200);
      await downloadAll(server.url(), (await get(build.hash)).body);
      for (const file of build.files) expect((await ask(file)).headers.get('cache-control')).toBe('private, no-store');

      const lists = ['/', '/stats', '/api/v1/top-packages?n=100', '/api/v1/build-errors', '/json/v1/overview.json'];
      // Lines at `debug` hold the paths of requests, as docs/observability.md says.
      const lines = server.lines().filter((line) => !line.includes('"level":"debug"'));
      const told = [...lines, ...(await Promise.all(lists.map(async (path) => (await ask(path)).text)))].join('\n');
      const [packageName] = build.request['packages'] as string[];
      for (const secret of [build.hash, build.files[0]?.split('/')[2], packageName, 'only-for-me']) expect(told).not.toContain(secret);
    });

    it.each(facts.failed)('answers a failure of the request as it was: one $name', async (build) => {
      isAnsweredAsBefore(await get(build.hash), build, 500);
      isAnsweredAsBefore(await ask('/api/v1/build', build.request), build, 500);
    });

    it.each(facts.failedForNow)('answers another failure as it was, and builds when a client asks again: one $name', async (build) => {
      isAnsweredAsBefore(await get(build.hash), build, 500);
      await isBuiltAnew(build);
    });

    it.each(facts.cancelled)('knows that a build was $name, and builds when a client asks again', async (build) => {
      const { status, body } = await get(build.hash);
      expect([status, body['title']]).toEqual([500, 'Build cancelled']);
      await isBuiltAnew(build);
    });

    it.each(facts.forecasts)('gives $name the hash that it had', async ({ request, hash }) => {
      const { status, body } = await ask('/api/v1/build/prepare', request);
      expect([status, body['request_hash']]).toEqual([200, hash]);
    });

    it.each(facts.expired)('no longer knows an expired build: one $name', async ({ hash }) => {
      await expect.poll(async () => (await get(hash)).status, { timeout: 30_000 }).toBe(404);
    });

    it('removes everything of expired builds when no cache names it any more', async () => {
      await server.later();
      for (const { hash, files } of facts.expired) {
        expect((await get(hash)).status).toBe(404);
        expect(files.length).toBeGreaterThan(0);
        for (const file of files) expect([file, (await ask(file)).status]).toEqual([file, 404]);
      }
      // Everything else stays.
      for (const build of [...facts.done, ...facts.privately]) {
        isAnsweredAsBefore(await get(build.hash), build, 200);
        for (const file of build.files) expect([file, (await ask(file)).status]).toEqual([file, 200]);
      }
    });
  });
}
