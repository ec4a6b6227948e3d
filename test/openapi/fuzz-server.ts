import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { demoUpstreamKey } from '#demo/upstream/key.ts';
import { serveDemoUpstream } from '#demo/upstream/serve.ts';
import { jsonLog } from '#observe/log.ts';
import { loadConfig } from '#standalone/config.ts';
import { type Standalone, startStandalone } from '#standalone/server.ts';
import { scriptedImageMaker } from '#test/support/scripted-image-maker.ts';

export interface FuzzServer extends Pick<Standalone, 'url' | 'close'> {
  /** The warnings and errors in the log so far. */
  readonly troubles: readonly string[];
}

/** Starts the standalone server over the demo upstream with scripted images. It allows everything that a request can ask for. */
export async function startFuzzServer(): Promise<FuzzServer> {
  const upstream = await serveDemoUpstream();
  const dataDir = await mkdtemp(join(tmpdir(), 'asu-fuzz-'));
  const config = loadConfig(
    {},
    {
      UPSTREAM_URL: upstream.url,
      ASU_DATA_DIR: dataDir,
      PORT: '0',
      WORKER_CONCURRENT: '1',
      ALLOW_DEFAULTS: 'true',
      REPOSITORY_ALLOW_LIST: 'https://feeds.example/',
    },
  );
  const troubles: string[] = [];
  const server = await startStandalone(config, {
    log: jsonLog('warn', (line) => troubles.push(line)),
    imageMaker: scriptedImageMaker(),
    signingKey: demoUpstreamKey.publicKey,
  });
  return {
    url: server.url,
    troubles,
    close: async () => {
      await server.close();
      await upstream.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
