import type { BuildOrder } from '#core/build/build-order.ts';
import type { StatisticsRecorder } from '#core/statistics/record-statistics.ts';
import type { Log } from '#observe/log.ts';
import type { Metrics } from '#observe/metrics.ts';
import type { StandaloneConfig } from './config.ts';
import type { LiveSettings } from './live-settings.ts';
import type { Relay } from './relay.ts';
import type { StandaloneState } from './state.ts';

/** The parts of a standalone server that its HTTP application and its background work share. */
export interface ServerParts {
  readonly config: StandaloneConfig;
  readonly settings: LiveSettings;
  readonly state: StandaloneState;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly recorder: StatisticsRecorder;
  /** Passes on the orders of builds that found upstream changed. */
  readonly upstreamChanges: Relay<[order: BuildOrder]>;
}
