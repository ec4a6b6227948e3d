import type { PrepareBuildOptions } from '../prepare-build.ts';
import type { PreparedBuild } from '../prepared-build.ts';
import type { Forecast } from './forecast.ts';
import { type ForecastDeps, forecastPackages } from './forecast-packages.ts';

/** A prepared request with what the server knows of its image. */
export interface ForecastRequest {
  readonly prepared: PreparedBuild;
  readonly forecast: Forecast;
}

/**
 * Prepares a request and forecasts its image. Before it says that the packages cannot be installed, it prepares the
 * request once more with upstream asked again, as `prepare` does with `fresh`.
 */
export async function forecastRequest(
  deps: ForecastDeps,
  prepare: (options: Pick<PrepareBuildOptions, 'fresh'>) => Promise<PreparedBuild>,
): Promise<ForecastRequest> {
  const forecastOf = async (prepared: PreparedBuild, fresh = false) => ({
    prepared,
    forecast: await forecastPackages(deps, prepared, { fresh }),
  });
  const first = await forecastOf(await prepare({}));
  return first.forecast.verdict === 'no' ? forecastOf(await prepare({ fresh: true }), true) : first;
}
