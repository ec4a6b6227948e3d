import type { BuildPace } from '#core/build/build-pace.ts';
import type { EstimateSeconds } from './build-response.ts';

/**
 * Returns an estimate: the time of one build for each round in which all runners work on the builds ahead, and for the
 * build itself.
 */
export const estimateSeconds =
  (pace: BuildPace, runners: number): EstimateSeconds =>
  (ahead) =>
    pace.secondsPerBuild() * (1 + Math.floor(ahead / Math.max(1, runners)));
