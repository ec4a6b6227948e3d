import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ImageMaker } from '#core/build/ports.ts';
import { demoUpstreamKey } from '#demo/upstream/key.ts';
import { type DemoUpstreamServer, serveDemoUpstream } from '#demo/upstream/serve.ts';
import { jsonLog, type Log } from '#observe/log.ts';
import { loadConfig } from '#standalone/config.ts';
import { type Standalone, startStandalone } from '#standalone/server.ts';
import { type RunnerOverrides, startServer } from '#standalone/start-server.ts';
import { scriptedImageMaker } from './scripted-image-maker.ts';

export interface TestServer extends Standalone {
  readonly upstream: DemoUpstreamServer;
  readonly dataDir: string;
  /** Log lines so far. */
  readonly lines: readonly string[];
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>;
  get(path: string, init?: RequestInit): Promise<Response>;
  /** Posts a build and asks until it has ended; the last answer. */
  build(body: object, query?: string): Promise<{ status: number; headers: Headers; body: Record<string, unknown> }>;
}

export interface TestServerOptions {
  readonly env?: Record<string, string>;
  readonly imageMaker?: ImageMaker;
  /** Images by the real runner and the demo upstream's ImageBuilders. */
  readonly realImages?: RunnerOverrides;
  /** Default: every line is kept in `lines`. */
  readonly log?: Log;
}

/** The whole server on a free port over a demo upstream of its own; images by script unless an ImageMaker is given. */
export async function testServer({
  env = {},
  imageMaker = scriptedImageMaker(),
  realImages,
  log,
}: TestServerOptions = {}): Promise<TestServer> {
  const upstream = await serveDemoUpstream();
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
    : await startStandalone(config, { log: logs, imageMaker, isAlone: true });
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
    lines,
    get,
    post,
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
