import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dynamoBuildSweep } from '#adapters/aws/builds/build-sweep.ts';
import { dynamoBuildTable } from '#adapters/aws/builds/build-table.ts';
import { s3ArtifactStore } from '#adapters/aws/objects/artifact-store.ts';
import { s3RecordStore } from '#adapters/aws/objects/record-store.ts';
import { sqsBuildQueue } from '#adapters/aws/queue/build-queue.ts';
import { dynamoQueuePositions } from '#adapters/aws/queue/queue-positions.ts';
import { rollUpStatistics } from '#adapters/aws/statistics/roll-up-statistics.ts';
import { dynamoStatistics } from '#adapters/aws/statistics/statistics.ts';
import { dynamoStatisticsReport } from '#adapters/aws/statistics/statistics-report.ts';
import { demoUpstreamKey } from '#demo/upstream/key.ts';
import type { DemoUpstreamServer } from '#demo/upstream/serve.ts';
import { localClients } from '#local-aws/resources/local-clients.ts';
import { bundleFunctions } from '../../../bundles/bundle-functions.ts';
import { bundleModule } from '../../../bundles/bundle-module.ts';
import { startStack } from '../../../local-aws/stack.ts';
import { askForBuilds, RECORDING_SETTINGS } from './ask-for-builds.ts';
import { dumpObjects, dumpQueue, dumpTable } from './dump-aws.ts';
import { leaveTraces } from './leave-traces.ts';

/** Longer than the quarter of an hour that a roll-up leaves out. */
const ROLL_UP_AHEAD_MS = 1_200_000;

/** Runs the functions and a runner over a LocalStack, kills the runner, and writes the data that they left into `directory`. */
export async function recordAws(directory: string, commit: string, upstream: DemoUpstreamServer, localStackUrl: string): Promise<void> {
  const bundles = await mkdtemp(join(tmpdir(), 'asu-upgrade-'));
  const runnerMain = join(bundles, 'runner.mjs');
  await Promise.all([bundleFunctions(bundles), bundleModule('runner/main.ts', runnerMain)]);
  const stack = await startStack({
    localStackUrl,
    upstreamUrl: upstream.url,
    functionsDirectory: bundles,
    runnerMain,
    env: { ...RECORDING_SETTINGS, LOG_LEVEL: 'debug', TRUSTED_KEYS: demoUpstreamKey.base64 },
  });
  const { dynamo, sqs, s3 } = localClients(localStackUrl);
  const { table, statisticsTable, bucket, queueUrl, deadLetterUrl } = stack.resources;
  const now = () => new Date();
  try {
    // Maintenance publishes the catalogue.
    await stack.maintain();
    const runner = await stack.startRunner();
    const inStep = async (hash: string, step: string) => void (await runner.line('"build step entered"', `"step":"${step}"`, hash));
    const asked = await askForBuilds({ url: stack.url, upstream, inStep });
    await runner.kill();

    const state = {
      builds: dynamoBuildTable(dynamo, table),
      sweep: dynamoBuildSweep(dynamo, table),
      queue: sqsBuildQueue(sqs, stack.resources),
      artifacts: s3ArtifactStore(s3, bucket),
      records: s3RecordStore(s3, bucket),
      positions: dynamoQueuePositions(dynamo, table),
      statistics: dynamoStatistics(dynamo, statisticsTable, now),
      report: dynamoStatisticsReport(dynamo, statisticsTable),
    };
    const facts = await leaveTraces(state, asked, { commit, upstreamUrl: upstream.url });
    if ((await rollUpStatistics(dynamo, statisticsTable, () => new Date(Date.now() + ROLL_UP_AHEAD_MS), 1)) === 0)
      throw new Error('no day was rolled up');

    const write = (name: string, value: unknown) => writeFile(join(directory, name), `${JSON.stringify(value, null, 2)}\n`);
    await write('tables.json', { builds: await dumpTable(dynamo, table), statistics: await dumpTable(dynamo, statisticsTable) });
    await write('objects.json', await dumpObjects(s3, bucket));
    await write('queues.json', { builds: await dumpQueue(sqs, queueUrl), deadLetters: await dumpQueue(sqs, deadLetterUrl) });
    await write('facts.json', facts);
  } finally {
    await stack.stop();
    for (const client of [dynamo, sqs, s3]) client.destroy();
    await rm(bundles, { recursive: true, force: true });
  }
}
