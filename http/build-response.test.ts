import { describe, expect, it } from 'vitest';
import { resultMeta } from '#core/build/artifact-keys.ts';
import { RESULT_MAX_AGE_SECONDS } from '#core/build/build.ts';
import type { BuildView } from '#core/build/build-status.ts';
import type { Warning } from '#core/warning.ts';
import { buildResponse } from './build-response.ts';

const answer = (view: object, method: 'GET' | 'POST') => buildResponse(view as BuildView, () => 60, method);
const build = { hash: 'a'.repeat(64), enqueuedAt: '2026-11-01T00:00:00.000Z', step: 'init', detail: 'd' };
const done = (isPrivate: boolean, maxAgeSeconds = RESULT_MAX_AGE_SECONDS) => ({
  state: 'done',
  build: { ...build, isPrivate },
  document: '{"status":200}',
  maxAgeSeconds,
});

describe('caches', () => {
  it.each([true, false])('treat the status of a finished build (private: %s) as they do its published document', (isPrivate) => {
    expect(answer(done(isPrivate), 'GET').headers.get('Cache-Control')).toBe(resultMeta(isPrivate).cacheControl);
  });

  it('keep a finished build no longer than it lives', () => {
    expect(answer(done(false, 7), 'GET').headers.get('Cache-Control')).toMatch(/\bmax-age=7,/);
  });

  it.each([
    ['queued', { state: 'queued', build, position: 3 }, 202],
    ['building', { state: 'building', build }, 202],
    ['failed', { state: 'failed', build }, 500],
    ['cancelled', { state: 'cancelled', build }, 500],
  ])('keep nothing of a build that is %s', (_, view, status) => {
    for (const method of ['GET', 'POST'] as const) {
      const { headers, status: told } = answer(view, method);
      expect([told, headers.get('Cache-Control')]).toEqual([status, 'no-store']);
    }
  });

  it('keep no answer to a POST', () => {
    for (const isPrivate of [true, false]) expect(answer(done(isPrivate), 'POST').headers.get('Cache-Control')).toMatch(/\bno-store$/);
  });
});

it('a failure says when to ask again only where the build is then made again', () => {
  const failed = { state: 'failed', build };
  expect(answer({ ...failed, retryAfterSeconds: 7 }, 'GET').headers.get('Retry-After')).toBe('7');
  expect(answer(failed, 'GET').headers.has('Retry-After')).toBe(false);
});

describe('warnings', () => {
  const warning: Warning = { code: 'essential_packages_missing', severity: 'strong', detail: 'No network.', packages: ['netifd'] };
  const body = (view: object, warnings?: readonly Warning[]) => buildResponse(view as BuildView, () => 60, 'POST', warnings).json();

  it('are part of the 202 that accepts a request', async () => {
    expect(await body({ state: 'queued', build, position: 0 }, [warning])).toMatchObject({ status: 202, warnings: [warning] });
  });

  it('are those of the order while the build runs, for clients that only ask for its state', async () => {
    const order = { request: {}, warnings: [warning] };
    expect(await body({ state: 'building', build, order })).toMatchObject({ imagebuilder_status: 'init', warnings: [warning] });
  });

  it('are those of the request where the order is of a version that had none', async () => {
    expect(await body({ state: 'building', build, order: { request: {} } }, [warning])).toMatchObject({ warnings: [warning] });
  });

  it('are absent where there is nothing to warn of', async () => {
    for (const view of [
      { state: 'queued', build, position: 0 },
      { state: 'building', build, order: { request: {} } },
    ])
      expect(await body(view, [])).not.toHaveProperty('warnings');
  });
});
