import { BuildFailure, type BuildOutput } from '#core/imagebuilder/build-output.ts';
import { installedDigest } from '#core/request/forecast/installed-digest.ts';
import type { BuildOrder, OrderForecast } from './build-order.ts';

/**
 * Whether a build bore out what the server had forecast. `none`: there was nothing to compare, because the server was
 * unsure, the feeds changed in between, or the build failed for another reason than its packages.
 */
export const FORECAST_OUTCOMES = ['matched', 'differed', 'none'] as const;
export type ForecastOutcome = (typeof FORECAST_OUTCOMES)[number];

export const FORECAST_VERDICTS = ['yes', 'no', 'unsure'] as const satisfies readonly OrderForecast['verdict'][];

/** The codes of failures that a forecast is about. */
const OF_PACKAGES = new Set(['package_missing', 'dependency_missing', 'package_uninstallable', 'package_conflict']);

/** Compares the forecast of an order with the packages that the image has. */
export function outcomeOfImage({ forecast }: BuildOrder, { installed, warnings = [] }: BuildOutput): ForecastOutcome {
  if (forecast === undefined || forecast.verdict === 'unsure' || installed === undefined) return 'none';
  if (forecast.verdict === 'yes' && forecast.installed === undefined) return 'none';
  if (warnings.some(({ code }) => code === 'feeds_changed')) return 'none';
  return forecast.verdict === 'yes' && forecast.installed === installedDigest(installed) ? 'matched' : 'differed';
}

/** Compares the forecast of an order with the failure of its build. */
export function outcomeOfFailure({ forecast }: BuildOrder, cause: unknown): ForecastOutcome {
  const isOfPackages =
    cause instanceof BuildFailure && cause.evidence.errors?.some(({ code }) => typeof code === 'string' && OF_PACKAGES.has(code));
  if (forecast === undefined || forecast.verdict === 'unsure' || !isOfPackages) return 'none';
  return forecast.verdict === 'no' ? 'matched' : 'differed';
}
