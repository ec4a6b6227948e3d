import type { BuildOutput } from '#core/imagebuilder/build-output.ts';
import type { BuildStep, DoneBuild, FailedBuild, QueuedBuild, RunningBuild } from './build.ts';
import type { BuildOrder } from './build-order.ts';
import type { ReceivedMessage } from './ports.ts';

/** The events of a runner, for log, metrics and statistics. */
export type RunEvent =
  | { type: 'started'; build: RunningBuild; order: BuildOrder }
  | { type: 'step'; build: RunningBuild; step: BuildStep }
  | { type: 'log'; build: RunningBuild; line: string }
  /** `seconds`: how long the attempt took. */
  | { type: 'done'; build: DoneBuild; order: BuildOrder; output: BuildOutput; seconds: number }
  /** Without an order, the build failed because its order was lost. */
  | { type: 'failed'; build: FailedBuild; order: BuildOrder | undefined; cause: unknown }
  | { type: 'retrying'; build: QueuedBuild; order: BuildOrder; cause: unknown; delaySeconds: number }
  | { type: 'handed-back'; build: QueuedBuild }
  | { type: 'lost'; build: RunningBuild }
  | { type: 'ignored'; message: ReceivedMessage; reason: string };
