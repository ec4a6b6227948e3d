import { createHash, randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { dynamoBuildTable } from '#adapters/aws/builds/build-table.ts';
import { s3ArtifactStore } from '#adapters/aws/objects/artifact-store.ts';
import { sqsBuildQueue } from '#adapters/aws/queue/build-queue.ts';
import { waitingTickets } from '#adapters/aws/queue/ledger-state.ts';
import { queueLedger } from '#adapters/aws/queue/queue-ledger.ts';
import { dynamoQueuePositions } from '#adapters/aws/queue/queue-positions.ts';
import { getBuildStatus } from '#core/build/build-status.ts';
import { createBucket, createBuildQueue, createBuildTable } from '#local-aws/resources/create-resources.ts';
import { runWorkers } from '#runner/run-workers.ts';
import { freshHash, sampleOrder } from '#test/contracts/sample-builds.ts';
import { scriptedImageMaker } from '#test/support/scripted-image-maker.ts';
import { dynamoClient, s3Client, sqsClient } from './clients.ts';

const BUILDS = 24;
const RUNNERS = 4;

it('drains a queue that contains duplicates with several runners: one build each, and every image readable', async () => {
  const [client, sqs, s3] = [dynamoClient(), sqsClient(), s3Client()];
  const table = await createBuildTable(client);
  const urls = await createBuildQueue(sqs);
  const artifacts = s3ArtifactStore(s3, await createBucket(s3));
  const now = () => new Date();
  const timesToLive = { buildSeconds: 1_000, unversionedSeconds: 1_000, defaultsSeconds: 1_000, failureSeconds: 1_000 };
  const builds = dynamoBuildTable(client, table);
  const hashes = Array.from({ length: BUILDS }, freshHash);
  const queue = sqsBuildQueue(sqs, urls);
  for (const [i, hash] of hashes.entries()) {
    const time = now().toISOString();
    const facts = { hash, enqueuedAt: time, queuedAt: time, attempt: 0, isPrivate: false, correlationId: randomUUID() };
    await builds.claim({ ...facts, state: 'queued' }, sampleOrder(hash), now());
    for (let copies = i % 3 === 0 ? 2 : 1; copies > 0; copies -= 1) await queue.send({ hash, correlationId: facts.correlationId });
  }
  const positions = dynamoQueuePositions(client, table);
  expect(await positions.waiting()).toBe(BUILDS);

  const stop = new AbortController();
  const imageMaker = scriptedImageMaker();
  const troubles: unknown[] = [];
  const every = (ms: number, call: () => void) => {
    const timer = setInterval(call, ms);
    return () => clearInterval(timer);
  };
  const runners = Array.from({ length: RUNNERS }, () =>
    runWorkers(
      {
        builds: dynamoBuildTable(dynamoClient(), table),
        queue: sqsBuildQueue(sqsClient(), urls),
        artifacts,
        imageMaker,
        now,
        monotonic: () => performance.now(),
        newAttemptId: randomUUID,
        every,
        timesToLive,
        onError: (error) => troubles.push(error),
      },
      1,
      stop.signal,
    ),
  );
  const states = async () => (await Promise.all(hashes.map((hash) => builds.get(hash)))).map((build) => build?.state);
  await expect.poll(states, { timeout: 60_000, interval: 500 }).toEqual(hashes.map(() => 'done'));
  stop.abort();
  await Promise.all(runners);

  expect(troubles).toEqual([]);
  expect([...imageMaker.begun].sort()).toEqual([...hashes].sort());
  expect(waitingTickets(await queueLedger(client, table).read({ isStrong: true }))).toEqual([]);
  for (const hash of hashes) {
    const view = await getBuildStatus({ builds, positions, artifacts, now }, hash);
    if (view.state !== 'done') throw new Error(view.state);
    const { images, bin_dir } = JSON.parse(view.document) as { images: { name: string; sha256: string }[]; bin_dir: string };
    expect(images).toHaveLength(1);
    for (const { name, sha256 } of images) {
      const image = (await artifacts.read(`store/${bin_dir}/${name}`)) ?? '';
      expect(createHash('sha256').update(image).digest('hex')).toBe(sha256);
    }
  }
});
