import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { httpPrepareService } from '#adapters/prepare-service/prepare-service.ts';
import { memoryRecordStore } from '#adapters/upstream/memory-record-store.ts';
import { upstreamCatalogue } from '#adapters/upstream/upstream-catalogue.ts';
import { DEFAULT_BRANCHES } from '#core/catalogue/branches.ts';
import { buildRequestParser } from '#core/request/parse-build-request.ts';
import { type DemoUpstreamServer, serveDemoUpstream } from '#demo/upstream/serve.ts';
import { prepareApp } from '#functions/prepare/app.ts';
import { httpApp } from '#http/http-app.ts';
import { jsonLog } from '#observe/log.ts';
import { answering, type FaultyServer, faultyServer } from '#test/services/faulty-server.ts';

/**
 * The requests and answers of the first version of the prepare service. Do not change them: during a deployment,
 * services of different versions run beside each other, and others may have written their own service
 * (docs/decisions/0011).
 */
interface Recorded {
  readonly request: Record<string, unknown>;
  readonly answer: Record<string, unknown> & { resolved_packages: string[]; changes: unknown[]; prepared_request: Record<string, unknown> };
}
const recorded: Recorded[] = JSON.parse(await readFile(new URL('./fixtures/prepare-v1.json', import.meta.url), 'utf8'));
const named = recorded.map((one) => [JSON.stringify(one.request), one] as const);

const parse = buildRequestParser();
let upstream: DemoUpstreamServer;
let old: FaultyServer;
beforeAll(async () => {
  upstream = await serveDemoUpstream();
  old = await faultyServer(answering(500, '{}'));
});
afterAll(async () => {
  await old.close();
  await upstream.close();
});

describe('the contract between prepare and build', () => {
  it('has a record with every kind of change', () => {
    const kinds = recorded.flatMap(({ answer }) => answer.changes.map((change) => (change as { type: string }).type));
    expect(new Set(kinds)).toEqual(new Set(['migration', 'addition', 'removal']));
  });

  it.each(named)("today's build service understands an old prepare service: %s", async (_, { request, answer }) => {
    const failures: unknown[] = [];
    old.behave(answering(200, JSON.stringify(answer)));
    const ask = httpPrepareService({ url: old.url, onError: (reason) => failures.push(reason) });
    expect(await ask(parse(request), 'contract')).toEqual({
      packages: answer.resolved_packages,
      packagesVersions: answer.prepared_request['packages_versions'],
      changes: answer.changes,
    });
    expect(failures).toEqual([]);
  });

  it.each(named)("today's prepare service answers everything that an old build service reads: %s", async (_, { request, answer }) => {
    const catalogue = upstreamCatalogue({ baseUrl: upstream.url, records: memoryRecordStore(), now: () => new Date() });
    const policy = { allowDefaults: false, repositoryAllowList: [], branches: DEFAULT_BRANCHES };
    const prepare = httpApp(
      { log: jsonLog('silent', () => undefined) },
      prepareApp({ catalogue, policy, parseRequest: () => parse, maxBodyBytes: () => 100_000 }),
    );
    const response = await prepare.request('/api/v1/prepare', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(request),
    });
    expect(response.status).toBe(200);
    // Texts may be improved, and the hash depends on upstream.
    const hash = expect.stringMatching(/^[0-9a-f]{64}$/);
    expect(await response.json()).toMatchObject({
      ...answer,
      changes: answer.changes.map((change) => ({ ...(change as object), reason: expect.stringMatching(/\w/) })),
      request_hash: hash,
      status_url: expect.stringMatching(/^\/api\/v1\/build\/[0-9a-f]{64}$/),
    });
  });
});
