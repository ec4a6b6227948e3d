import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { CreateTableCommand, DeleteTableCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import { dynamoBuildTable } from '#adapters/aws/builds/build-table.ts';
import { s3RecordStore } from '#adapters/aws/objects/record-store.ts';
import { BUILD_TABLE } from '#adapters/aws/resources.ts';
import { dynamoStatistics } from '#adapters/aws/statistics/statistics.ts';
import { REBUILD_PAUSE_SECONDS } from '#core/build/build.ts';
import type { RequestHash } from '#core/request/request-hash.ts';
import { type DemoUpstreamServer, serveDemoUpstream } from '#demo/upstream/serve.ts';
import { localEnvironment, type ResourceNames, uniqueNames } from '#local-aws/resources/aws-resources.ts';
import { createResources, createStatisticsTable } from '#local-aws/resources/create-resources.ts';
import { buildConfig, maintenanceConfig, statsConfig, statusConfig } from '#services/config.ts';
import { startBuild } from '#services/start-build.ts';
import { startMaintenance } from '#services/start-maintenance.ts';
import type { Service } from '#services/start-service.ts';
import { startStats } from '#services/start-stats.ts';
import { startStatus } from '#services/start-status.ts';
import { httpEvent, invoke } from '#test/bundles/invoke.ts';
import { failed, freshHash, queued, sampleOrder } from '#test/contracts/sample-builds.ts';
import { dynamoClient, s3Client, sqsClient } from './clients.ts';

// Services and Lambda share their compositions, so a setting or check of one exists in the other too.
let upstream: DemoUpstreamServer;
let names: ResourceNames;
let environment: Record<string, string>;
const services: Service[] = [];

beforeAll(async () => {
  upstream = await serveDemoUpstream();
  names = uniqueNames();
  await createResources({ dynamo: dynamoClient(), sqs: sqsClient(), s3: s3Client() }, names);
});
afterAll(() => upstream.close());
beforeEach(() => {
  environment = {
    ...localEnvironment(inject('localStackUrl'), names),
    UPSTREAM_URL: upstream.url,
    LOG_LEVEL: 'silent',
    HOST: '127.0.0.1',
    PORT: '0',
  };
  for (const [name, value] of Object.entries(environment)) if (name.startsWith('AWS_')) vi.stubEnv(name, value);
});
afterEach(async () => {
  await Promise.all(services.splice(0).map((service) => service.close()));
  vi.unstubAllEnvs();
});

const started = async (service: Promise<Service>): Promise<Service> => {
  services.push(await service);
  return service;
};
/** Makes a build that has just failed for a reason other than its request. */
async function failedBuild(): Promise<RequestHash> {
  const hash = freshHash();
  const builds = dynamoBuildTable(dynamoClient(), names.builds);
  const { current } = await builds.claim(queued(hash), sampleOrder(hash), new Date());
  const end = { finishedAt: new Date().toISOString(), expiresAt: new Date(Date.now() + 3_600_000).toISOString() };
  expect((await builds.transition(current, { ...failed(current, false), ...end })).moved).toBe(true);
  return hash;
}

/** Makes a build whose message was never sent. */
async function unsentBuild(): Promise<RequestHash> {
  const hash = freshHash();
  await dynamoBuildTable(dynamoClient(), names.builds).claim(queued(hash), sampleOrder(hash), new Date());
  return hash;
}

describe('REBUILD_PAUSE', () => {
  it.each([
    ['status', () => startStatus(statusConfig({ ...environment, REBUILD_PAUSE: '60' }))],
    ['build', () => startBuild(buildConfig({ ...environment, REBUILD_PAUSE: '60' }))],
  ])('sets the Retry-After of a GET from the %s service', async (_, start) => {
    const { url } = await started(start());
    const { headers } = await fetch(`${url}/api/v1/build/${await failedBuild()}`);
    expect(Number(headers.get('Retry-After'))).toBeGreaterThan(REBUILD_PAUSE_SECONDS);
  });

  it('sets the Retry-After of a GET from the status function', async () => {
    const path = join(inject('bundles'), 'status', 'handler.mjs');
    const event = httpEvent('GET', `/api/v1/build/${await failedBuild()}`);
    const { answer } = await invoke(path, event, { ...environment, REBUILD_PAUSE: '60' });
    expect(Number(answer?.headers['retry-after'])).toBeGreaterThan(REBUILD_PAUSE_SECONDS);
  });
});

describe('a service does not start', () => {
  it.each([
    ['build', 'STATISTICS_TABLE', () => startBuild(buildConfig({ ...environment, STATISTICS_TABLE: 'missing' }))],
    ['stats', 'ARTIFACT_BUCKET', () => startStats(statsConfig({ ...environment, ARTIFACT_BUCKET: 'missing' }))],
  ])('as %s without its %s', async (_name, _setting, start) => {
    await expect(started(start())).rejects.toThrow('missing cannot be used');
  });

  it('as stats without the index by which builds are counted', async () => {
    const table = `asu-${randomUUID()}`;
    const { hashKey, rangeKey } = BUILD_TABLE;
    const command = new CreateTableCommand({
      TableName: table,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [hashKey, rangeKey].map((AttributeName) => ({ AttributeName, AttributeType: 'S' as const })),
      KeySchema: [
        { AttributeName: hashKey, KeyType: 'HASH' },
        { AttributeName: rangeKey, KeyType: 'RANGE' },
      ],
    });
    await dynamoClient().send(command);
    await expect(started(startStats(statsConfig({ ...environment, BUILD_TABLE: table })))).rejects.toThrow('Index');
  });
});

describe('/ready', () => {
  it('names the unusable resource without the message of AWS', async () => {
    const { url } = await started(startStats(statsConfig(environment)));
    const table = await createStatisticsTable(dynamoClient());
    const gone = await started(startStats(statsConfig({ ...environment, STATISTICS_TABLE: table })));
    await dynamoClient().send(new DeleteTableCommand({ TableName: table }));
    expect((await fetch(`${url}/ready`)).status).toBe(200);
    const response = await fetch(`${gone.url}/ready`);
    const text = await response.text();
    expect([response.status, JSON.parse(text).checks]).toEqual([503, { table: 'ok', bucket: 'ok', statistics: 'cannot be used' }]);
    expect(text).not.toContain(table);
  });
});

describe('the maintenance service', () => {
  it('sweeps as often as SWEEP_EVERY says, and learns how long builds take', async () => {
    const now = new Date();
    await dynamoStatistics(dynamoClient(), names.statistics, () => now).ended({
      ...{
        hash: freshHash(),
        enqueuedAt: now.toISOString(),
        endedAt: now.toISOString(),
        outcome: 'success',
        milliseconds: 7_000,
        packages: [],
      },
    });
    const first = await unsentBuild();
    const { url } = await started(startMaintenance(maintenanceConfig({ ...environment, SWEEP_EVERY: '1' })));
    const builds = dynamoBuildTable(dynamoClient(), names.builds);
    const sent = (hash: RequestHash) =>
      expect.poll(() => builds.get(hash), { timeout: 20_000 }).toMatchObject({ sentAt: expect.any(String) });
    await sent(first);
    await sent(await unsentBuild());
    const records = s3RecordStore(s3Client(), names.bucket);
    await expect.poll(async () => (await records.get('build-pace'))?.body, { timeout: 20_000 }).toBe('7');
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toMatch(/^asu_swept_builds_total\{outcome="sent"\} [1-9]/m);
  });
});
