import type { Warning } from '#core/warning.ts';
import type { ForecastRequest } from './forecast-request.ts';

/** A warning lies in the order of its build, and a person reads the first few problems. */
const MAX_PROBLEMS = 5;

/**
 * Returns all warnings about a request. What the forecast says of two packages takes the place of what their lists alone
 * say.
 */
export function forecastWarnings({ prepared, forecast }: ForecastRequest): readonly Warning[] {
  const pairOf = ({ packages = [] }: Warning) => [...packages].sort().join(' ');
  const said = new Set(forecast.warnings.map(pairOf));
  const before = prepared.warnings.filter((warning) => warning.code !== 'packages_conflict' || !said.has(pairOf(warning)));
  return [...before, ...forecast.warnings];
}

/** Returns the warning of a build that is begun although the packages cannot be installed as far as the server knows. */
export const impossibleWarning = ({ forecast: { problems } }: ForecastRequest): Warning => ({
  code: 'packages_impossible',
  severity: 'strong',
  detail: `The build will probably fail: ${problems
    .slice(0, MAX_PROBLEMS)
    .map(({ detail }) => detail)
    .join(', ')}.`,
  packages: [...new Set(problems.slice(0, MAX_PROBLEMS).map((problem) => problem.package))],
});
