import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type * as z from 'zod';
import { BuildFailure } from '#core/imagebuilder/build-output.ts';
import { scriptedImageMaker } from '#test/support/scripted-image-maker.ts';
import { startTestServer, type TestServer } from '#test/support/test-server.ts';
import { FailedBuild, FinishedBuild, PreparedBuild, QueuedBuild } from './schemas/builds.ts';
import { Overview } from './schemas/catalogue.ts';
import { InvalidRequest, Problem } from './schemas/errors.ts';
import { NotReady } from './schemas/service.ts';

const request = { version: '24.10.2', target: 'ath79/generic', profile: '8dev_carambola2' };

/** Checks answers that fuzzing does not reach: those of a real server match the whole, closed schema. */
describe('answers match the schemas that the OpenAPI document publishes', () => {
  let server: TestServer;
  let release: () => void = () => undefined;

  beforeAll(async () => {
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const imageMaker = scriptedImageMaker({
      warnings: [{ code: 'essential_packages_missing', severity: 'note', detail: 'The image lacks dnsmasq.', packages: ['dnsmasq'] }],
      act: async ({ request: { packages } }) => {
        if (packages.includes('tcpdump'))
          throw new BuildFailure('Error: Selected packages exceed device storage', { stderr: 'is too big' });
        if (packages.includes('tmux')) await held;
      },
    });
    server = await startTestServer({ imageMaker, env: { MAX_PENDING_JOBS: '0' } });
  });
  afterAll(async () => {
    release();
    await server.close();
  });

  const expectToMatch = async (schema: z.ZodType, response: Response, status: number) => {
    const body = await response.json();
    expect(response.status, JSON.stringify(body)).toBe(status);
    const { error } = schema.safeParse(body);
    expect(error?.issues ?? [], JSON.stringify(body)).toEqual([]);
  };
  const build = (...packages: string[]) => server.post('/api/v1/build', { ...request, packages });

  it('a finished build with a warning of the one that made its images', async () => {
    await server.build({ ...request, packages: ['vim'] });
    const response = await build('vim');
    expect(await response.clone().json()).toMatchObject({ warnings: [{ severity: 'note', packages: ['dnsmasq'] }] });
    await expectToMatch(FinishedBuild, response, 200);
  });

  it('a failed build', async () => {
    await server.build({ ...request, packages: ['tcpdump'] });
    await expectToMatch(FailedBuild, await build('tcpdump'), 500);
  });

  it('a prepared build', async () => {
    await expectToMatch(PreparedBuild, await server.post('/api/v1/build/prepare', { ...request, packages: ['auc', 'vimm'] }), 200);
  });

  it('a full queue', async () => {
    await build('tmux');
    await expect.poll(async () => (await server.get('/api/v1/stats')).json(), { timeout: 30_000 }).toEqual({ queue_length: 0 });
    await expectToMatch(QueuedBuild, await build('luci'), 202);
    await expectToMatch(Problem, await build('owut'), 429);
  });

  it.each([
    ['unknown path', '/api/v1/nothing', {}, 404],
    ['unknown build', `/api/v1/build/${'0'.repeat(64)}`, {}, 404],
    ['unknown image', '/store/x/y', {}, 404],
    ['other method', '/api/v1/build', {}, 405],
    ['other version', '/api/v1/revision/1.2.3/x86/64', {}, 400],
    ['body too large', '/api/v1/build', { method: 'POST', body: ' '.repeat(300_000) }, 413],
  ])('%s', async (_, path, init, status) => {
    await expectToMatch(Problem, await server.get(path, init), status);
  });

  it.each([
    ['no JSON', '{'],
    ['no object', '[]'],
    ['everything wrong', '{"version":1,"packages":"vim","diff_packages":"maybe","rootfs_size_mb":1.5,"repositories":{"a b":"ftp://x"}}'],
    ['unknown packages', JSON.stringify({ ...request, packages: ['vimm'] })],
  ])('invalid request: %s', async (_, body) => {
    await expectToMatch(InvalidRequest, await server.post('/api/v1/build', body), 422);
  });

  it('overview', async () => {
    await expectToMatch(Overview, await server.get('/json/v1/overview.json'), 200);
  });
});

describe('an upstream that never answered', () => {
  it('is distinguished from an invalid request', async () => {
    const server = await startTestServer({ env: { UPSTREAM_URL: 'http://127.0.0.1:9' } });
    try {
      for (const [path, schema] of [
        ['/json/v1/overview.json', Problem],
        ['/ready', NotReady],
      ] as const) {
        const response = await server.get(path);
        expect(response.status).toBe(503);
        expect(schema.safeParse(await response.json()).error?.issues ?? []).toEqual([]);
      }
    } finally {
      await server.close();
    }
  });
});
