import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BuildFailure, InfrastructureFailure } from '#core/imagebuilder/build-output.ts';
import { type Script, scriptedImageMaker } from '#test/support/scripted-image-maker.ts';
import { startTestServer, type TestServer } from '#test/support/test-server.ts';
import { HOUR, type WallClock, wallClock } from '#test/support/wall-clock.ts';

const X86 = { version: '24.10.2', target: 'x86/64', profile: 'generic' };
const PACKAGES = ['vim', 'tmux', 'htop'];
/** Milliseconds: far less than an hour, and more than any build here takes. */
const SOON = { timeout: 20_000, interval: 50 };

let clock: WallClock;
let server: TestServer;
beforeEach(() => {
  clock = wallClock();
});
afterEach(async () => {
  await server.close();
  clock.restore();
});

async function start(env: Record<string, string>, act: NonNullable<Script['act']>) {
  const imageMaker = scriptedImageMaker({ act });
  server = await startTestServer({ env: { SWEEP_EVERY: '1', LEASE: '3', ...env }, imageMaker });
  return imageMaker;
}

const ask = async (name: string) => (await server.post('/api/v1/build', { ...X86, packages: [name] })).status;

/** A promise and the function that settles it. */
function gate() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: () => resolve() };
}

describe.each([
  ['back', -HOUR],
  ['forward', HOUR],
])('a clock that is set an hour %s', (_, seconds) => {
  it('stops no build that waits, and takes none from its runner', async () => {
    const { opened, open } = gate();
    const { begun } = await start({ LEASE: '30' }, () => opened);
    for (const name of PACKAGES) expect(await ask(name)).toBe(202);
    await expect.poll(() => begun.length, SOON).toBe(1);
    clock.step(seconds);
    // Several sweeps look at the build in progress.
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    open();
    for (const name of PACKAGES) await expect.poll(() => ask(name), SOON).toBe(200);
    expect(begun).toHaveLength(PACKAGES.length);
  });

  it('makes no retry wait longer than its own pause', async () => {
    const { begun } = await start({ RETRY_DELAYS: '2' }, () => {
      if (begun.length === 1) throw new InfrastructureFailure('no space left on device');
    });
    expect(await ask('vim')).toBe(202);
    await expect.poll(() => server.lines.some((line) => line.includes('build returned to the queue')), SOON).toBe(true);
    clock.step(seconds);
    await expect.poll(() => ask('vim'), SOON).toBe(200);
    expect(begun).toHaveLength(2);
  });

  it('makes no client wait longer than the pause before a rebuild', async () => {
    let isBroken = true;
    await start({ REBUILD_PAUSE: '2' }, () => {
      if (isBroken) throw new InfrastructureFailure('upstream has replaced the ImageBuilder', { isFinal: true });
    });
    expect(await ask('vim')).toBe(202);
    await expect.poll(() => ask('vim'), SOON).toBe(500);
    isBroken = false;
    clock.step(seconds);
    await expect.poll(() => ask('vim'), SOON).toBe(200);
  });

  it('keeps no failure longer than its own time', async () => {
    let isBroken = true;
    await start({ BUILD_FAILURE_TTL: '3' }, () => {
      if (isBroken) throw new BuildFailure('the image is too big');
    });
    expect(await ask('vim')).toBe(202);
    await expect.poll(() => ask('vim'), SOON).toBe(500);
    isBroken = false;
    clock.step(seconds);
    await expect.poll(() => ask('vim'), SOON).toBe(200);
  });

  it('serves no result longer than its own time', async () => {
    const { begun } = await start({ BUILD_TTL_UNVERSIONED: '3' }, () => undefined);
    expect(await ask('vim')).toBe(202);
    await expect.poll(() => ask('vim'), SOON).toBe(200);
    clock.step(seconds);
    await expect.poll(() => ask('vim'), SOON).toBe(202);
    await expect.poll(() => begun.length, SOON).toBe(2);
  });

  it('gives no client more builds than its limit', async () => {
    await start({ RATE_LIMIT_BUILDS_PER_HOUR: '1', RATE_LIMIT_BUILDS_BURST: '1' }, () => undefined);
    expect(await ask('vim')).toBe(202);
    expect(await ask('tmux')).toBe(429);
    clock.step(seconds);
    expect(await ask('tmux')).toBe(429);
  });
});
