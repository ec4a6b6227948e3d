import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { answering, faultyServer } from '#test/services/faulty-server.ts';
import { startTestServer, type TestServer } from '#test/support/test-server.ts';
import { CHECKS } from './conformance/checks.ts';
import { runChecks } from './conformance/run-checks.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const MAIN = fileURLToPath(new URL('./conformance/main.ts', import.meta.url));
const conformance = (...args: string[]) =>
  promisify(execFile)(process.execPath, [MAIN, ...args]).then(
    ({ stdout }) => ({ code: 0, output: stdout }),
    (error: { code: number; stdout: string; stderr: string }) => ({ code: error.code, output: error.stdout + error.stderr }),
  );

it('npm run conformance: this server keeps the promises of the API, a build and its files included', async () => {
  const { code, output } = await conformance(server.url, '--build');
  expect(output).toContain(`${CHECKS.length} of ${CHECKS.length} hold at ${server.url}`);
  expect(code).toBe(0);
});

it('no check passes on a server that answers everything with an empty 200', async () => {
  const empty = await faultyServer(answering(200, '{}'));
  try {
    const subject = { version: '24.10.2', target: 'x86/64', profile: 'generic' };
    const findings = await runChecks(empty.url, { subject, builds: true });
    expect(findings.filter(({ failure }) => failure === undefined)).toEqual([]);
    expect(findings).toHaveLength(CHECKS.length);
    const given = ['--version', subject.version, '--target', subject.target, '--profile', subject.profile];
    expect((await conformance(empty.url, ...given)).code).toBe(1);
  } finally {
    await empty.close();
  }
});

it('without --build nothing is built', async () => {
  const before = await (await server.get('/metrics')).text();
  await runChecks(server.url);
  const builds = (text: string) => /^asu_requests_total\{outcome="new"\} .*$/m.exec(text)?.[0];
  expect(builds(await (await server.get('/metrics')).text())).toBe(builds(before));
});

it('names the argument that is missing', async () => {
  expect(await conformance()).toMatchObject({ code: 2, output: expect.stringContaining('Usage: npm run conformance') });
  expect(await conformance('http://127.0.0.1:9')).toMatchObject({ code: 2, output: expect.stringContaining('cannot be reached') });
});
