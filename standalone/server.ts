import { mkdir } from 'node:fs/promises';
import type { BuildOrder } from '#core/build/build-order.ts';
import type { ImageMaker } from '#core/build/ports.ts';
import { recordStatistics } from '#core/statistics/record-statistics.ts';
import { clientKeys } from '#http/rate-limit/client-keys.ts';
import { serveNode } from '#http/serve-node.ts';
import type { Log } from '#observe/log.ts';
import type { UpstreamOutcome } from '#observe/metric-events.ts';
import { prometheusMetrics } from '#observe/metrics.ts';
import type { SandboxFacts } from '#runner/imagebuilder/sandbox/sandbox-facts.ts';
import { clientSecret } from './client-secret.ts';
import { composeApp } from './compose-app.ts';
import type { StandaloneConfig } from './config.ts';
import { liveSettings } from './live-settings.ts';
import { type Relay, relay } from './relay.ts';
import { runBackground } from './run-background.ts';
import { openState } from './state.ts';

export interface Standalone {
  readonly url: string;
  /**
   * Puts the settings into force that a running server can take (`reloads` in config/settings.ts), from the next
   * request or build on.
   */
  reconfigure(config: StandaloneConfig): void;
  /** Takes no further requests and builds, hands builds in progress back to the queue, and closes everything. */
  close(): Promise<void>;
}

export interface StandaloneParts {
  readonly log: Log;
  readonly imageMaker: ImageMaker;
  /** The text of `/signing-key.pub`. */
  readonly signingKey?: string;
  /** How far builds are kept from this machine. */
  readonly sandbox?: SandboxFacts;
  /** Tells when something that a build left could not be removed. */
  readonly leftovers?: Relay<[]>;
  /** Tells of the image maker's requests to upstream. */
  readonly downloads?: Relay<[outcome: UpstreamOutcome, seconds: number]>;
  /**
   * No other process uses this data directory: builds in progress at the start belong to no process, and go on at once.
   */
  readonly isAlone?: boolean;
}

/** Starts everything in one process: all functions, the runner and maintenance, over SQLite and a directory. */
export async function startStandalone(
  config: StandaloneConfig,
  { log, imageMaker, signingKey, sandbox, leftovers, downloads, isAlone = false }: StandaloneParts,
): Promise<Standalone> {
  await mkdir(config.dataDir, { recursive: true });
  const keyOf = clientKeys(await clientSecret(config.dataDir));
  const settings = liveSettings(config);
  const state = openState(config, isAlone);
  const metrics = prometheusMetrics('standalone', state.positions);
  if (sandbox !== undefined) metrics.onSandbox(sandbox);
  leftovers?.listen(metrics.onLeftover);
  downloads?.listen(metrics.onUpstream);
  const recorder = recordStatistics({
    statistics: state.statistics,
    branches: () => settings.policy.branches,
    now: state.now,
    isCounting: config.SERVER_STATS,
    onError: (error) => log.warn('statistics could not be written', { error }),
  });
  const upstreamChanges = relay<[order: BuildOrder]>();
  const parts = { config, settings, state, log, metrics, recorder, upstreamChanges };
  const server = await serveNode(composeApp({ ...parts, keyOf, signingKey, sandbox }), { host: config.HOST, port: config.PORT });
  const stopBackground = await runBackground({ ...parts, imageMaker, isAlone });
  return {
    url: server.url,
    reconfigure: settings.replace,
    close: async () => {
      await Promise.all([stopBackground(), server.close()]);
      await recorder.flush();
      state.close();
    },
  };
}
