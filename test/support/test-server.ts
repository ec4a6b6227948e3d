import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ImageMaker } from '#core/build/ports.ts';
import { demoUpstreamKey } from '#demo/upstream/key.ts';
import { type DemoUpstreamServer, serveDemoUpstream } from '#demo/upstream/serve.ts';
import { jsonLog, type Log } from '#observe/log.ts';
import type { SandboxFacts } from '#runner/imagebuilder/sandbox/sandbox-facts.ts';
import { loadConfig } from '#standalone/config.ts';
import { type Standalone, startStandalone } from '#standalone/server.ts';
import { type RunnerOverrides, startServer } from '#standalone/start-server.ts';
import { type Answer, type Asked, ask } from './ask.ts';
import { scriptedImageMaker } from './scripted-image-maker.ts';

/** Images made by script are kept from nothing. */
const NONE: SandboxFacts = { level: 'plain', network: 'shared', memory: 'watched', tmp: 'shared', unsigned: 'refused' };

export interface TestServer extends Standalone {
  readonly upstream: DemoUpstreamServer;
  readonly dataDir: string;
  readonly databasePath: string;
  /** Log lines so far. */
  readonly lines: readonly string[];
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>;
  get(path: string, init?: RequestInit): Promise<Response>;
  /** One request as bytes: nothing is added to it, and nothing of the answer is unpacked. */
  ask(path: string, asked?: Asked): Promise<Answer>;
  /** Posts a build and asks until it has ended; returns the last answer. */
  build(body: object, query?: string): Promise<{ status: number; headers: Headers; body: Record<string, unknown> }>;
}

export interface TestServerOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Makes the images by script. By default, small files at once. */
  readonly imageMaker?: ImageMaker;
  /** With these, the real runner makes the images with the demo upstream's ImageBuilders. */
  readonly realImages?: RunnerOverrides;
  /** The tree that the upstream serves. By default, the demo's. */
  readonly upstreamDirectory?: string;
  readonly signingKey?: string;
  /** By default, every line is kept in `lines`. */
  readonly log?: Log;
}

/** The one server of all tests: everything that `npm start` runs, on a free port, over a demo upstream of its own. */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const { env = {}, imageMaker = scriptedImageMaker(), realImages, upstreamDirectory, signingKey, log } = options;
  const upstream = await serveDemoUpstream(upstreamDirectory === undefined ? {} : { directory: upstreamDirectory });
  // Not by the fixture `temporaryDirectory`: benchmarks use this server too, without vitest.
  const dataDir = await mkdtemp(join(tmpdir(), 'asu-test-'));
  const lines: string[] = [];
  const config = loadConfig(
    {},
    {
      UPSTREAM_URL: upstream.url,
      ASU_DATA_DIR: dataDir,
      PORT: '0',
      WORKER_CONCURRENT: '1',
      TRUSTED_KEYS: demoUpstreamKey.base64,
      ...env,
    },
  );
  const logs = log ?? jsonLog('debug', (line) => lines.push(line));
  const server = realImages
    ? await startServer(config, logs, realImages)
    : await startStandalone(config, {
        log: logs,
        imageMaker,
        sandbox: NONE,
        isAlone: true,
        ...(signingKey !== undefined && { signingKey }),
      });
  const get = (path: string, init: RequestInit = {}) => fetch(server.url + path, { redirect: 'manual', ...init });
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    get(path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-Correlation-Id': randomUUID(), ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  return {
    ...server,
    upstream,
    dataDir,
    databasePath: config.databasePath,
    lines,
    get,
    post,
    ask: (path, asked) => ask(server.url, path, asked),
    build: async (body, query = '') => {
      let response = await post(`/api/v1/build${query}`, body);
      let answer = (await response.json()) as Record<string, unknown>;
      while (response.status === 202) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        response = await get(`/api/v1/build/${answer['request_hash']}`);
        answer = (await response.json()) as Record<string, unknown>;
      }
      return { status: response.status, headers: response.headers, body: answer };
    },
    close: async () => {
      await server.close();
      await upstream.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
