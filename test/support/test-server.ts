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
  /** The log lines so far. */
  readonly lines: readonly string[];
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>;
  get(path: string, init?: RequestInit): Promise<Response>;
  /** Sends one request without adding headers, and returns the answer without decompressing it. */
  ask(path: string, asked?: Asked): Promise<Answer>;
  /** Posts a build, polls until it has ended, and returns the last answer. */
  build(body: object, query?: string): Promise<{ status: number; headers: Headers; body: Record<string, unknown> }>;
}

export interface TestServerOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** A script that makes the images. By default it makes small files at once. */
  readonly imageMaker?: ImageMaker;
  /** If given, the real runner makes the images with the ImageBuilders of the demo upstream. */
  readonly realImages?: RunnerOverrides;
  /** The directory that the upstream serves. The default is the demo's. */
  readonly upstreamDirectory?: string;
  readonly signingKey?: string;
  /** The log. By default, `lines` keeps every line. */
  readonly log?: Log;
}

/**
 * Starts the server that all tests share: everything that `npm start` runs, on a free port, over its own demo upstream.
 */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const { env = {}, imageMaker = scriptedImageMaker(), realImages, upstreamDirectory, signingKey, log } = options;
  const upstream = await serveDemoUpstream(upstreamDirectory === undefined ? {} : { directory: upstreamDirectory });
  // The fixture `temporaryDirectory` needs vitest, but benchmarks use this server too.
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
