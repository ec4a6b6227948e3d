import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ImageMaker } from '#core/build/ports.ts';
import { demoUpstreamKey } from '#demo/upstream/key.ts';
import { type DemoUpstreamServer, serveDemoUpstream } from '#demo/upstream/serve.ts';
import { jsonLog } from '#observe/log.ts';
import { loadConfig } from '#standalone/config.ts';
import { type Standalone, startStandalone } from '#standalone/server.ts';
import { startServer } from '#standalone/start-server.ts';
import { scriptedImageMaker } from '#test/support/scripted-image-maker.ts';
import { type Answer, type Asked, ask } from './ask.ts';

export interface CompatServer extends Standalone {
  readonly upstream: DemoUpstreamServer;
  readonly databasePath: string;
  ask(path: string, asked?: Asked): Promise<Answer>;
}

export interface CompatServerOptions {
  /** Makes the scripted images; by default small files, immediately. Ignored with `real`. */
  readonly imageMaker?: ImageMaker;
  readonly env?: Readonly<Record<string, string>>;
  /** The directory to serve as upstream; by default the demo's. */
  readonly directory?: string;
  /** Whether real ImageBuilders run; otherwise a script makes the images. */
  readonly real?: boolean;
}

/** Starts the standalone server on a free port over its own upstream. */
export async function compatServer({
  env = {},
  directory,
  imageMaker = scriptedImageMaker(),
  real = false,
}: CompatServerOptions = {}): Promise<CompatServer> {
  const upstream = await serveDemoUpstream(directory === undefined ? {} : { directory });
  const dataDir = await mkdtemp(join(tmpdir(), 'asu-compat-'));
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
  const log = jsonLog(config.LOG_LEVEL === 'silent' ? 'silent' : 'error', (line) => process.stderr.write(line));
  const server = real ? await startServer(config, log) : await startStandalone(config, { log, imageMaker });
  return {
    ...server,
    upstream,
    databasePath: config.databasePath,
    ask: (path, asked) => ask(server.url, path, asked),
    close: async () => {
      await server.close();
      await upstream.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
