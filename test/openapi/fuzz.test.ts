import { afterAll, beforeAll, expect, it } from 'vitest';
import { OTHERWRT } from '#demo/upstream/distributions.ts';
import { demoUpstreamKey } from '#demo/upstream/key.ts';
import { type DemoUpstreamServer, serveDemoUpstream } from '#demo/upstream/serve.ts';
import { jsonLog } from '#observe/log.ts';
import { startTestServer, type TestServer } from '#test/support/test-server.ts';
import { loadFuzzConfig } from './config.ts';
import { type FuzzReport, runSchemathesis } from './run-schemathesis.ts';

/** At least 5,000 cases with the default settings. */
const { leastCases, ...fuzzing } = loadFuzzConfig();

let upstream: DemoUpstreamServer;
let server: TestServer;
const troubles: string[] = [];
let report: FuzzReport;
let output: string;

beforeAll(async () => {
  upstream = await serveDemoUpstream();
  const other = {
    upstream_url: `${upstream.url}/${OTHERWRT.name}`,
    branches: { '24.10': { path: 'releases/{version}' }, SNAPSHOT: { path: 'snapshots' } },
  };
  // Everything is allowed that a request can ask for.
  server = await startTestServer({
    env: {
      ALLOW_DEFAULTS: 'true',
      REPOSITORY_ALLOW_LIST: 'https://feeds.example/',
      DISTROS: JSON.stringify({ [OTHERWRT.name]: other }),
    },
    signingKey: demoUpstreamKey.publicKey,
    log: jsonLog('warn', (line) => troubles.push(line)),
  });
  ({ report, output } = await runSchemathesis(server.url, fuzzing));
  console.log(output.slice(output.indexOf('= SUMMARY =')));
}, 3_600_000);

afterAll(async () => {
  await server.close();
  await upstream.close();
});

it('answers every request as the document says', () => {
  expect(report.failures, output).toEqual([]);
  expect(report.errors, output).toEqual([]);
  expect(report).toMatchObject({ complete: true, exit_code: 0 });
});

it(`is asked at least ${leastCases} times, at every operation`, () => {
  expect(report.test_cases.generated).toBeGreaterThanOrEqual(leastCases);
  expect(report.test_cases).toMatchObject({ with_failures: 0, errored: 0 });
  expect(report.operations.tested).toBe(report.operations.total);
});

it('is asked for existing things: every operation has been answered with success', () => {
  const neverAccepted = Object.entries(report.valid_rates).filter(([, phases]) =>
    Object.values(phases).every(({ accepted }) => accepted === 0),
  );
  expect(neverAccepted).toEqual([]);
  expect(Object.entries(report.warnings).filter(([, operations]) => operations.length > 0)).toEqual([]);
});

it('answers no request with an unexpected error', () => {
  expect(troubles).toEqual([]);
});

it('is still healthy afterwards', async () => {
  const response = await fetch(`${server.url}/ready`);
  expect(response.status).toBe(200);
});
