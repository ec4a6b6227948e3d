import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DemoUpstreamServer, serveDemoUpstream } from '#demo/upstream/serve.ts';
import { serverProcess } from '#test/support/server-process.ts';

/** Starts `npm start` in its own process, over a demo upstream in this process, which closes with it. */
export async function realServer(env: Record<string, string>, demo?: DemoUpstreamServer) {
  const upstream = demo ?? (await serveDemoUpstream());
  const dataDir = await mkdtemp(join(tmpdir(), 'asu-bench-'));
  const server = await serverProcess(dataDir, upstream.url, { LOG_LEVEL: 'info', ...env });
  return {
    ...server,
    upstreamUrl: upstream.url,
    close: async () => {
      await server.stop();
      await upstream.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

export interface FinishedBuild {
  readonly request_hash: string;
  readonly detail: string;
  readonly durations_ms: Readonly<Record<string, number>>;
}

/** Posts a build and polls every 10 ms until it is done. */
export async function build(url: string, body: object): Promise<FinishedBuild> {
  let response = await fetch(`${url}/api/v1/build`, { method: 'POST', body: JSON.stringify(body) });
  let answer = (await response.json()) as FinishedBuild;
  while (response.status === 202) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    response = await fetch(`${url}/api/v1/build/${answer.request_hash}`);
    answer = (await response.json()) as FinishedBuild;
  }
  if (response.status !== 200) throw new Error(`${response.status}: ${answer.detail}`);
  return answer;
}
