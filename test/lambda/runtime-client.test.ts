import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type DemoUpstreamServer, serveDemoUpstream } from '#demo/upstream/serve.ts';
import { httpEvent } from '#test/bundles/invoke.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import { bundleFunctions } from '../../bundles/bundle-functions.ts';
import { type RuntimeApi, runtimeApi } from './runtime-api.ts';

const CLIENT = fileURLToPath(new URL('./ric/node_modules/aws-lambda-ric/index.mjs', import.meta.url));
const REQUEST = { version: '24.10.0', target: 'x86/64', profile: 'generic', packages: ['luci', 'auc'] };

let upstream: DemoUpstreamServer;
let directory: string;
let handlers: Map<string, string>;
beforeAll(async () => {
  directory = await temporaryDirectory();
  handlers = new Map((await bundleFunctions(directory)).map(({ name, path }) => [name, path]));
  upstream = await serveDemoUpstream();
});
afterAll(() => upstream.close());

let api: RuntimeApi;
let client: ChildProcess;
beforeEach(async () => {
  api = await runtimeApi();
});
afterEach(async () => {
  client.kill('SIGKILL');
  if (client.exitCode === null && client.signalCode === null) await once(client, 'exit');
  await api.close();
});

/** Starts a function as Lambda's nodejs24.x does: with the runtime client, in the environment that Lambda promises. */
function start(name: string, env: Record<string, string>): void {
  client = spawn(process.execPath, [CLIENT, 'handler.handler'], {
    cwd: dirname(handlers.get(name) ?? ''),
    env: {
      AWS_LAMBDA_RUNTIME_API: api.address,
      AWS_LAMBDA_FUNCTION_NAME: name,
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '512',
      AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${name}`,
      AWS_LAMBDA_LOG_STREAM_NAME: '2026/11/20/[$LATEST]0',
      AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
      LAMBDA_TASK_ROOT: dirname(handlers.get(name) ?? ''),
      _HANDLER: 'handler.handler',
      AWS_REGION: 'us-east-1',
      ...env,
    },
    stdio: ['ignore', 'ignore', 'ignore'],
  });
}

const answerTo = async (event: unknown) => {
  const ended = once(client, 'exit').then(([code]) => {
    throw new Error(`the runtime client ended with ${code}`);
  });
  const said = await Promise.race([api.invoke(event), ended]);
  if (!('answer' in said)) throw new Error(`${said.failure.errorType}: ${said.failure.errorMessage}`);
  return said.answer as { statusCode: number; headers: Record<string, string>; body: string };
};

describe('a bundled function under the real Lambda runtime client', () => {
  it('answers event after event, with the same refusals as elsewhere', async () => {
    start('prepare', { CATALOGUE_URL: upstream.url });
    const prepared = await answerTo(httpEvent('POST', '/api/v1/prepare', REQUEST, { 'x-correlation-id': 'from-the-client' }));
    expect(prepared.statusCode).toBe(200);
    expect(prepared.headers['x-correlation-id']).toBe('from-the-client');
    expect(JSON.parse(prepared.body)).toMatchObject({ status: 'prepared', resolved_packages: expect.arrayContaining(['luci', 'owut']) });

    const refused = await answerTo(httpEvent('POST', '/api/v1/prepare', { ...REQUEST, packages: ['$(id)'] }));
    expect([refused.statusCode, refused.headers['access-control-allow-origin']]).toEqual([422, '*']);
    const asked = upstream.requests.length;
    expect((await answerTo(httpEvent('POST', '/api/v1/prepare', REQUEST))).body).toBe(prepared.body);
    // The process is warm: its memory still has the catalogue.
    expect(upstream.requests.length).toBe(asked);
    expect(client.exitCode).toBeNull();
  });

  it('tells Lambda which settings it misses', async () => {
    start('status', {});
    expect(await api.initFailure).toMatchObject({
      errorType: 'SettingsError',
      errorMessage: expect.stringContaining('BUILD_TABLE=: must be set'),
    });
    if (client.exitCode === null) await once(client, 'exit');
    expect(client.exitCode).not.toBe(0);
  });
});
