import type { BuildPace } from '#core/build/build-pace.ts';
import type { EstimateSeconds } from './build-response.ts';

/** One build's time for each time that all runners have been through those ahead. */
export const estimateSeconds =
  (pace: BuildPace, runners: number): EstimateSeconds =>
  (ahead) =>
    pace.secondsPerBuild() * (1 + Math.floor(ahead / Math.max(1, runners)));
