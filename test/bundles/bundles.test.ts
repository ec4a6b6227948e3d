import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DemoUpstreamServer, serveDemoUpstream } from '#demo/upstream/serve.ts';
import { FUNCTION_NAMES } from '#functions/function-name.ts';
import { temporaryDirectory } from '#test/support/temporary-directory.ts';
import budgets from '../../bundles/budgets.json' with { type: 'json' };
import { bundleFunctions, type FunctionBundle } from '../../bundles/bundle-functions.ts';
import { ROOT } from '../../bundles/esbuild-options.ts';
import { httpEvent, invoke } from './invoke.ts';

let directory: string;
let bundles: Map<string, FunctionBundle>;
let upstream: DemoUpstreamServer;

beforeAll(async () => {
  directory = await temporaryDirectory();
  bundles = new Map((await bundleFunctions(directory)).map((bundle) => [bundle.name, bundle]));
  upstream = await serveDemoUpstream();
});
afterAll(() => upstream.close());

const bundle = (name: string): FunctionBundle => {
  const found = bundles.get(name);
  if (found === undefined) throw new Error(`no bundle ${name}`);
  return found;
};

const AWS = { AWS_REGION: 'eu-central-1', AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_MAX_ATTEMPTS: '1' };

describe('every function', () => {
  it('with a handler has a bundle and a budget', async () => {
    const files = await readdir(join(ROOT, 'functions'), { recursive: true });
    const handlers = files.filter((file) => file.endsWith('handler.ts')).map((file) => file.split('/')[0] ?? '');
    expect([...FUNCTION_NAMES].sort()).toEqual(handlers.sort());
    expect(Object.keys(budgets).sort()).toEqual(handlers.sort());
  });

  it.each(Object.entries(budgets))('%s keeps its budget and contains only the clients that it needs', (name, { maxBytes, clients }) => {
    const { bytes, inputs } = bundle(name);
    expect(bytes).toBeLessThanOrEqual(maxBytes);
    const found = new Set(inputs.flatMap((input) => /node_modules\/@aws-sdk\/(client-[^/]+)/.exec(input)?.[1] ?? []));
    expect([...found].sort()).toEqual(clients);
  });

  it.each([...FUNCTION_NAMES])('%s contains no code of the runner, of other deployments, or of tests', (name) => {
    expect(bundle(name).inputs.filter((input) => /^(runner|standalone|services|demo|test|adapters\/(sqlite|disk))\//.test(input))).toEqual(
      [],
    );
  });
});

describe('the prepare function', () => {
  it('contains no AWS client and no queue or table code', () => {
    const { inputs } = bundle('prepare');
    expect(inputs).toContain('functions/prepare/app.ts');
    expect(
      inputs.filter((input) => /@aws-sdk|@smithy|adapters\/aws|core\/(submit-build|run-build|sweep|build-status)\b/.test(input)),
    ).toEqual([]);
  });

  it('explains package changes', async () => {
    const body = { version: '24.10.0', target: 'mediatek/mt7622', profile: 'linksys_e8450', packages: ['auc'] };
    const { answer } = await invoke(bundle('prepare').path, httpEvent('POST', '/apply', body));
    expect(answer?.statusCode).toBe(200);
    expect(JSON.parse(answer?.body ?? '').packages).toContain('owut');
  });

  it('prepares a build with a catalogue that it reads over HTTP, and refuses a request that violates the schema', async () => {
    const env = { CATALOGUE_URL: upstream.url };
    const body = { version: '24.10.0', target: 'x86/64', profile: 'generic', packages: ['luci'] };
    const event = httpEvent('POST', '/api/v1/prepare', body, { 'x-correlation-id': 'abc' });
    const { answer, log } = await invoke(bundle('prepare').path, event, env);
    expect(answer?.statusCode).toBe(200);
    expect(answer?.headers['x-correlation-id']).toBe('abc');
    expect(log).toMatch(
      /^\{"_aws":.*"service":"prepare","method":"POST","endpoint":"\/api\/v1\/prepare","status_code":"200","http_requests_total":1/m,
    );
    expect(log).toContain('"message":"request completed"');
    expect(JSON.parse(answer?.body ?? '')).toMatchObject({ status: 'prepared', resolved_packages: ['luci'] });
    const refused = await invoke(bundle('prepare').path, httpEvent('POST', '/api/v1/prepare', { ...body, packages: ['$(id)'] }), env);
    expect(refused.answer?.statusCode).toBe(422);
    expect(typeof JSON.parse(refused.answer?.body ?? '').detail).toBe('string');
  });
});

describe('the store function', () => {
  it('contains nothing of builds, whose state it cannot read', () => {
    expect(bundle('store').inputs.filter((input) => /^core\/build\/(build-status|find-image)\.ts$/.test(input))).toEqual([]);
  });

  it.each([`/store/${'0'.repeat(64)}/image.bin`, '/store/../etc', '/nowhere'])('answers %s with 404 as JSON', async (path) => {
    const { answer } = await invoke(bundle('store').path, httpEvent('GET', path));
    expect(answer?.statusCode).toBe(404);
    expect(answer?.headers['access-control-allow-origin']).toBe('*');
    expect(JSON.parse(answer?.body ?? '')).toMatchObject({ status: 404, title: 'Not Found' });
  });

  it('answers /health', async () => {
    const { answer } = await invoke(bundle('store').path, httpEvent('GET', '/health'));
    expect([answer?.statusCode, JSON.parse(answer?.body ?? '')]).toEqual([
      200,
      expect.objectContaining({ service: 'store', status: 'ok' }),
    ]);
  });

  it('serves the signing key it was given', async () => {
    const env = { SIGNING_KEY: 'untrusted comment: key\\nRWQ=\\n' };
    const { answer } = await invoke(bundle('store').path, httpEvent('GET', '/signing-key.pub'), env);
    expect(answer?.body).toBe('untrusted comment: key\nRWQ=\n');
  });
});

describe('the docs function', () => {
  it('serves the OpenAPI document, the page, and every file that the page names', async () => {
    const { path } = bundle('docs');
    const { answer: document } = await invoke(path, httpEvent('GET', '/api/v1/openapi.json'));
    expect(JSON.parse(document?.body ?? '')).toMatchObject({ openapi: '3.1.0' });
    const { answer: page } = await invoke(path, httpEvent('GET', '/api/v1/docs'));
    const files = [...(page?.body ?? '').matchAll(/(?:src|href)="(docs\/[^"]+)"/g)].map(([, file]) => `/api/v1/${file}`);
    expect(files).toHaveLength(3);
    for (const file of files) {
      const { answer } = await invoke(path, httpEvent('GET', file));
      expect([file, answer?.statusCode, answer?.headers['content-type']]).toEqual([file, 200, expect.stringMatching(/^text\//)]);
      // API Gateway accepts at most six megabytes from a function.
      expect(Buffer.byteLength(JSON.stringify(answer))).toBeLessThan(6 * 1024 * 1024);
      expect(answer?.body.length).toBeGreaterThan(100);
    }
  });
});

describe('a bad deployment', () => {
  it('stops at the start with the name of each missing or invalid setting', async () => {
    const { answer, errors } = await invoke(bundle('status').path, httpEvent('GET', '/'), { ...AWS, MAX_RUNNERS: 'many' });
    expect(answer).toBeUndefined();
    for (const line of [
      'SettingsError',
      'BUILD_TABLE=: must be set',
      'ARTIFACT_BUCKET=: must be set',
      'MAX_RUNNERS=many: expected a whole number',
    ])
      expect(errors).toContain(line);
  });

  it.each(['status', 'build-submit', 'stats', 'maintenance'])(
    'stops %s at the start with the name of the unusable resource',
    async (name) => {
      const env = {
        ...AWS,
        AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
        BUILD_TABLE: 'no-such-table',
        STATISTICS_TABLE: 'no-such-statistics',
        ARTIFACT_BUCKET: 'no-such-bucket',
        BUILD_QUEUE_URL: 'http://127.0.0.1:9/no-such-queue',
        DEAD_LETTER_QUEUE_URL: 'http://127.0.0.1:9/no-such-dead-letters',
        S3_FORCE_PATH_STYLE: 'true',
      };
      const { answer, errors } = await invoke(bundle(name).path, httpEvent('GET', '/'), env);
      expect(answer).toBeUndefined();
      expect(errors).toMatch(
        /: (DynamoDB table no-such-(table|statistics)|S3 bucket no-such-bucket|SQS queue \S*no-such-queue) cannot be used/,
      );
    },
  );
});
