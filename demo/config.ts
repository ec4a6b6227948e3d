import { loadConfig, type StandaloneConfig } from '#standalone/config.ts';

export interface DemoSettings {
  readonly dataDir: string;
  readonly upstreamUrl: string;
  readonly port?: string | undefined;
  /** The demo upstream's public key. */
  readonly key: string;
  readonly verbose?: boolean | undefined;
}

/** The standalone server's configuration for the demo. It ignores the user's environment, except PATH and TMPDIR. */
export function demoConfig({ dataDir, upstreamUrl, port, key, verbose }: DemoSettings): StandaloneConfig {
  return loadConfig(
    {},
    {
      ASU_DATA_DIR: dataDir,
      UPSTREAM_URL: upstreamUrl,
      PORT: port ?? '0',
      TRUSTED_KEYS: key,
      LOG_LEVEL: verbose ? 'debug' : 'silent',
      ALLOW_DEFAULTS: '1',
    },
  );
}
