import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StartedProcess } from '../../../local-aws/started-process.ts';
import { awsState } from './aws-state.ts';
import { DRAIN_BUILDS } from './config.ts';
import { type TestStack, testStack } from './test-stack.ts';

const RUNNERS = 4;
/** A lease that is long enough that no living runner loses it, however busy the machine. */
const LEASE_SECONDS = 15;
/** The number of runners to kill, if possible during a build. */
const KILLS = Math.max(5, Math.round(DRAIN_BUILDS / 15));
/** The longest random pause between kills. */
const KILL_EVERY_MS = 2_000;
/** The pause between two runs of maintenance, which sweeps every three seconds at most. */
const MAINTAIN_EVERY_MS = 500;
const TIMEOUT_MS = 120_000 + DRAIN_BUILDS * 1_500;

let stack: TestStack;
let state: ReturnType<typeof awsState>;
beforeAll(async () => {
  stack = await testStack({ images: 'scripted', env: { LEASE: String(LEASE_SECONDS), SWEEP_EVERY: '3', MAX_PENDING_JOBS: '5000' } });
  state = awsState(stack.resources);
});
afterAll(() => stack.stop());

describe(`${DRAIN_BUILDS} queued builds and ${RUNNERS} runner processes that are killed at random`, () => {
  it('drain: no build is lost or done twice, and every image exists', { timeout: TIMEOUT_MS }, async () => {
    const started = Date.now();
    const submit = async (i: number) => {
      const request = { version: '24.10.2', target: 'x86/64', profile: 'generic', packages: ['vim'], rootfs_size_mb: i + 1 };
      const { status, body } = await stack.post('/api/v1/build', request);
      expect(status).toBe(202);
      return body.request_hash;
    };
    const hashes = await someAtOnce(
      Array.from({ length: DRAIN_BUILDS }, (_, i) => i),
      submit,
    );
    expect(new Set(hashes).size).toBe(DRAIN_BUILDS);
    const submitted = Date.now();

    const all: StartedProcess[] = [];
    const killed = new Set<StartedProcess>();
    const start = async () => {
      all.push(await stack.startRunner());
    };
    await Promise.all(Array.from({ length: RUNNERS }, start));
    let isOver = false;
    const maintaining = (async () => {
      while (!isOver) {
        await stack.maintain();
        await pause(MAINTAIN_EVERY_MS);
      }
    })();
    const killing = (async () => {
      while (!isOver && killed.size < KILLS) {
        await pause(Math.random() * KILL_EVERY_MS);
        const living = all.filter((runner) => !killed.has(runner));
        const victim = living[Math.floor(Math.random() * living.length)];
        if (victim === undefined) continue;
        for (let i = 0; i < 200 && !isBuilding(victim); i += 1) await pause(10);
        await pause(Math.random() * 100);
        killed.add(victim);
        await victim.kill();
        await start();
      }
    })();

    const open = new Set(hashes);
    while (open.size > 0) {
      for (const hash of [...open]) {
        const build = await state.build(hash);
        if (build?.state === 'queued' || build?.state === 'building') break;
        expect(build).toMatchObject({ hash, state: 'done' });
        open.delete(hash);
      }
      await pause(250);
    }
    isOver = true;
    await Promise.all([killing, maintaining]);
    const seconds = (Date.now() - submitted) / 1000;

    // One runner starts each build. A second one may start it only if the first was killed.
    const begun = all.flatMap((runner) =>
      runner.lines.filter((line) => line.includes('"build started"')).map((line) => ({ runner, hash: hashOf(line) })),
    );
    for (const hash of hashes) {
      const times = begun.filter((one) => one.hash === hash);
      expect(times.length).toBeGreaterThan(0);
      expect(times.filter(({ runner }) => !killed.has(runner)).length).toBeLessThanOrEqual(1);
      const done = all.flatMap((runner) => runner.lines.filter((line) => line.includes('"build done"') && line.includes(hash)));
      expect(done.length).toBeLessThanOrEqual(1);
    }
    const lost = begun.length - hashes.length;
    console.info(
      `${DRAIN_BUILDS} builds: submitted in ${((submitted - started) / 1000).toFixed(0)} s, drained in ${seconds.toFixed(0)} s, ${killed.size} runners killed, ${lost} builds begun again`,
    );
    expect(killed.size).toBeGreaterThan(0);

    await someAtOnce(hashes, expectReadable);
    // Messages of killed runners come back; another runner finds their builds done and deletes them.
    await expect.poll(() => state.messages(), { timeout: 60_000, interval: 1_000 }).toBe(0);
  });

  async function expectReadable(hash: string) {
    const { status, body } = await stack.get(`/api/v1/build/${hash}`);
    expect(status).toBe(200);
    for (const { name, sha256 } of body.images) {
      const image = await fetch(`${stack.url}/store/${body.bin_dir}/${name}`);
      expect(
        createHash('sha256')
          .update(Buffer.from(await image.arrayBuffer()))
          .digest('hex'),
      ).toBe(sha256);
    }
  }
});

const isBuilding = ({ lines }: StartedProcess): boolean => lines.at(-1)?.includes('"build step entered"') ?? false;
const hashOf = (line: string): string => (JSON.parse(line) as { request_hash: string }).request_hash;

/** Runs `act` for eight inputs at a time. More would only wait for LocalStack. */
async function someAtOnce<In, Out>(inputs: readonly In[], act: (input: In) => Promise<Out>): Promise<Out[]> {
  const outputs: Out[] = [];
  const waiting = inputs.entries();
  const worker = async () => {
    for (const [i, input] of waiting) outputs[i] = await act(input);
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  return outputs;
}
