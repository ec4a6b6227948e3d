import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { BuildFailure } from '#core/imagebuilder/build-output.ts';
import { scriptedImageMaker } from '#test/support/scripted-image-maker.ts';
import { startTestServer } from '#test/support/test-server.ts';

const X86 = { version: '24.10.2', target: 'x86/64', profile: 'generic' };

it('SERVER_STATS=false counts no request and no image, and still lists failures', async () => {
  const imageMaker = scriptedImageMaker({
    act: ({ request }) => {
      if (request.packages.includes('tmux')) throw new BuildFailure('no room', {});
    },
  });
  const server = await startTestServer({ env: { SERVER_STATS: 'false' }, imageMaker });
  try {
    expect((await server.build({ ...X86, packages: ['vim'] })).status).toBe(200);
    expect((await server.build({ ...X86, packages: ['vim'] })).status).toBe(200);
    expect((await server.build({ ...X86, packages: ['tmux'] })).status).toBe(500);
    const errors = async () => (await server.get('/api/v1/build-errors')).text();
    while (!(await errors()).includes('Error: no room')) await delay(50);
    expect(await (await server.get('/api/v1/stats/summary')).json()).toEqual({ queue_length: 0, builds_24h: 0 });
    expect(await (await server.get('/api/v1/top-packages')).json()).toMatchObject({ packages: [] });
  } finally {
    await server.close();
  }
});
