import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { dynamoBuildSweep } from '#adapters/aws/builds/build-sweep.ts';
import { sightings } from '#core/build/sightings.ts';
import { type SweepDeps, sweepBuilds } from '#core/build/sweep.ts';
import { type DemoUpstreamServer, serveDemoUpstream } from '#demo/upstream/serve.ts';
import { dynamoClient, s3Client, sqsClient } from '#test/localstack/clients.ts';
import { awsState } from '#test/localstack/e2e/aws-state.ts';
import { type TestStack, testStack } from '#test/localstack/e2e/test-stack.ts';
import { keepsPromises, type UpgradedServer } from '../keeps-promises.ts';
import { loadAws } from '../lay-out/load-aws.ts';
import { RECORDED_IMAGEBUILDER_SETTINGS, recordings, upstreamDirectory } from '../recordings.ts';

const WEEK_SECONDS = 7 * 86_400;
const LATER_MS = 120_000;

describe.each(recordings('aws'))('functions and runner on the data of $name', (recording) => {
  let upstream: DemoUpstreamServer;
  beforeAll(async () => {
    upstream = await serveDemoUpstream({ directory: upstreamDirectory(recording.name) });
  });
  afterAll(() => upstream.close());

  keepsPromises(recording, async (): Promise<UpgradedServer> => {
    const stack = await testStack({
      images: 'real',
      upstreamUrl: upstream.url,
      env: { ...RECORDED_IMAGEBUILDER_SETTINGS, ALLOW_DEFAULTS: 'true', WORKER_CONCURRENT: '2', SWEEP_EVERY: '1' },
    });
    await loadAws(recording, { dynamo: dynamoClient(), s3: s3Client(), sqs: sqsClient() }, stack.resources, upstream.url);
    const runner = await stack.startRunner();
    await stack.maintain();
    return {
      url: () => stack.url,
      lines: () => [...runner.lines, ...Object.values(stack.functions).flatMap(({ lines }) => lines)],
      later: () => sweepLater(stack),
      stop: async () => {
        await stack.stop();
        expect(stack.troubles).toEqual([]);
      },
    };
  });
});

/** Sweeps as one that has seen every lease for long, with a clock that is ahead. */
async function sweepLater({ resources }: TestStack): Promise<void> {
  let seenMs = 0;
  const sweeper: SweepDeps = {
    ...awsState(resources),
    sweep: dynamoBuildSweep(dynamoClient(), resources.table),
    now: () => new Date(Date.now() + LATER_MS),
    sightings: sightings(() => seenMs),
    newSweepId: randomUUID,
    timesToLive: {
      buildSeconds: WEEK_SECONDS,
      unversionedSeconds: WEEK_SECONDS,
      defaultsSeconds: WEEK_SECONDS,
      failureSeconds: WEEK_SECONDS,
    },
  };
  for (const laterMs of [0, LATER_MS]) {
    seenMs += laterMs;
    expect((await sweepBuilds(sweeper)).errors).toEqual([]);
  }
}
