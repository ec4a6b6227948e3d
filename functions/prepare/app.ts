import { withoutText } from '#core/build/private-build-error.ts';
import { canonicalPackages } from '#core/package-changes/canonical-packages.ts';
import { resolvePackages } from '#core/package-changes/resolve-packages.ts';
import { withoutSkipped } from '#core/package-changes/without-skipped.ts';
import { ApplyRequest, MAX_APPLY_ITEMS } from '#core/request/apply-request.ts';
import { unsure } from '#core/request/forecast/forecast.ts';
import { forecastRequest } from '#core/request/forecast/forecast-request.ts';
import { invalidRequest, notAnObject } from '#core/request/invalid-request.ts';
import type { ParseBuildRequest } from '#core/request/parse-build-request.ts';
import { type PrepareBuildDeps, type PrepareBuildOptions, prepareBuild } from '#core/request/prepare-build.ts';
import { refuseTooMany } from '#core/request/refuse-too-many.ts';
import { buildRequestBody } from '#http/build-request-body.ts';
import { type Routes, routes } from '#http/http-app.ts';
import { jsonBody } from '#http/json-body.ts';
import { preparedBody } from '#http/prepared-response.ts';
import { queryFlag } from '#http/query-parameters.ts';

export interface PrepareAppDeps extends PrepareBuildDeps {
  readonly parseRequest: () => ParseBuildRequest;
  readonly maxBodyBytes: () => number;
}

const NOT_ASKED = 'The request asks for no forecast.';

/** Resolves packages and explains the changes. It has no state and writes nothing. */
export function prepareApp(deps: PrepareAppDeps): Routes {
  return routes()
    .post('/api/v1/prepare', async (c) => {
      const skipResolution = queryFlag('skip_package_resolution', c.req.query('skip_package_resolution'));
      const request = await buildRequestBody(c, deps);
      // A build service forecasts for itself.
      const isForecast = !queryFlag('without_forecast', c.req.query('without_forecast'));
      const prepare = (options: PrepareBuildOptions) => prepareBuild(deps, request, { ...options, skipResolution });
      const answer = isForecast
        ? forecastRequest(deps, prepare)
        : prepare({}).then((prepared) => ({ prepared, forecast: unsure(NOT_ASKED) }));
      return c.json(preparedBody(await answer.catch(withoutText(request))));
    })
    .post('/apply', async (c) => {
      const body = await jsonBody(c, deps.maxBodyBytes());
      if (typeof body !== 'object' || body === null || Array.isArray(body)) throw notAnObject(body);
      refuseTooMany(body, MAX_APPLY_ITEMS);
      const parsed = ApplyRequest.safeParse(body);
      if (!parsed.success) throw invalidRequest(parsed.error.issues, body);
      const { default_packages: defaultPackages, diff_packages: diffPackages, ...asked } = parsed.data;
      const profile = asked.profile.replaceAll(',', '_');
      const { packages, changes } = withoutSkipped(resolvePackages({ ...asked, profile, packagesVersions: {} }));
      return c.json({
        packages: diffPackages ? canonicalPackages({ packages, diffPackages, defaultPackages, profilePackages: [] }) : packages,
        changes,
      });
    });
}
